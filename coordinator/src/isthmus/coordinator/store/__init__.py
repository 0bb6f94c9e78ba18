"""Where the coordinator keeps things: a protocol, SQL behind it, migrations, and a folder of content-addressed blobs.

Every change takes its audit event as a required argument and is written with it in one transaction. States change by
compare-and-set. Nothing here decides whether a change is lawful: that is the business of domain and actions.
"""
