"""What a round, a role and an audit event are: values and pure functions, without a clock, a store or a network."""
