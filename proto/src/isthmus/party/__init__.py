"""A party's side of the connection: its identity folder, enrolment, and calls over mutual TLS.

Shared by node, analyst and the coordinator's operator commands. Domain rules live elsewhere.
"""
