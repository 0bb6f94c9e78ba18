"""Synthetic people for the demo and the accuracy tests, and the scorer that compares links with the truth."""
