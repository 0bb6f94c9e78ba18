"""Field comparison: what a node answers for pairs of its rows with rows of others. docs/protocol.md section 13."""
