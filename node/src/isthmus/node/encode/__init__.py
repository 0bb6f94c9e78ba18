"""Encoding: how columns of text become CLKs. Pure: values in, arrays out; secrets and schemas are arguments."""
