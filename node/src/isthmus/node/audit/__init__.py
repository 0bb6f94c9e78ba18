"""Self-audit: attacks on a provider's own encodings, to measure how many people an attacker would recognise.

`attack` has the graph attack, `undiffuse` the one on diffusion itself, `bits` the tests of single bits, `report` what
people are told, `command` the command. Nothing here sends anything; keys are made up and thrown away.
"""
