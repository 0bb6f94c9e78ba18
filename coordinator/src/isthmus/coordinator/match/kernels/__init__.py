"""Comparison kernels: packed CLKs of two sides in, every pair that reaches a threshold out, in compiled code.

`blocks` lays rows out, `limits` and `exchangeable` say when reading on is vain, `stages` when to ask, `sift` is what is
compiled, of the operations in `lanes`; `comparison` cuts and does the work, `best` keeps the best of each row, and
`processors` chooses how to count. Pure, and unknown to who asks for it: importing it loads numba.
"""
