"""Our own attack on what a coordinator holds after field comparison; `benchmarks/field_attack.py` runs it."""
