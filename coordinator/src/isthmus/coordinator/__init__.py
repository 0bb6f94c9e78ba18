"""The coordinator: enrols parties, collects encodings, matches them, and gives back linked IDs and released tables.

domain/      what a round, a role and an audit event are (pure)
match/       encodings -> groups of rows (pure)
disclosure/  true counts -> released tables (pure)
store/       where all of it is kept
actions/     one function per thing that somebody can do: check the role, load, compute, store with the audit event
rpc/         the actions over gRPC
worker       the actions that nobody calls: matching
cli          the composition root
"""
