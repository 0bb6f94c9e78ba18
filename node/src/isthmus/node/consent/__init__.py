"""Consent and opt-out: who is left out before anything is encoded, from when, until when, and on which ground.

Two sources are asked: the node's own list of opt-outs (`opt_outs`, kept by `store`), and rules over columns of the data
set (`settings`, `rules`). Record ids and exact counts stay at the node; elsewhere counts stand as bands
(`isthmus.contract.bands`).
"""
