"""Proposing which column of a source is which standard field, with samples that show shapes and no values."""
