"""Disclosure control: true counts in, a table that is safe to show out. Pure: no clock, no log, no store, no network.

`table` holds true counts, `bounds` is what an attacker can work out, `suppress` decides what to hide, and `release` is
the only way out.
"""
