"""The data-quality report of a data set: what a steward should know before its rows are encoded and linked.

`tally` counts, `model` is what was counted, `outgoing` is what of it may leave, `findings` says it in words; `text` and
`page` show it. No value of a record is in any of them. Nothing here sends anything.
"""
