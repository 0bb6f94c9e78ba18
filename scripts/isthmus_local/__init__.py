"""A whole round on one machine: one coordinator and several nodes as separate processes, over mutual TLS on loopback.

Used by the demo, by the try-out on a person's own files, and by the tests. It plays every role, which nobody can in a
real project; so it may also look into all folders to say how good the links are.
"""
