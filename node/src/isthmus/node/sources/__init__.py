"""Where a node reads records: files and tables of its own, by column names that its owner gives.

Every source gives `isthmus.node.records.Records`, says how it read, and refuses with the errors of `errors`.
"""
