"""Linking by fields: what the answers of two nodes tell of a pair, and what that says of whether it is one person.

docs/protocol.md section 13. Pure, as all of matching: no clock, no log, no store, no network.
"""
