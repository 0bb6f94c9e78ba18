"""A data provider's node: everything that touches records of people, on the provider's own premises.

sources/     files and databases -> records
normalise/   records -> normalised values (pure)
encode/      values -> CLKs (pure)
keys/        the key of a round: agreed on, kept, and what derives from it
vault        which handle is which record; never leaves
prepare      records -> a submission, ready to send and to resume
policy       what this node refuses, by itself
client       calls to the coordinator; a node dials out and is never dialled
take_part    a round from signing to fetched IDs
cli          the command isthmus-node
"""
