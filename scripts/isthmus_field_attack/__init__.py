"""Our own attack on what a coordinator holds after a round with field comparison; `benchmarks/field_attack.py` runs it."""
