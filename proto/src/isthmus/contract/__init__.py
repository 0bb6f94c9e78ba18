"""What every party of Isthmus shares: ids, errors, canonical bytes, profiles, encodings and manifests.

Nothing here opens a file, a connection or a clock. Programs (node, coordinator, analyst) import this package; it
imports none of them.
"""
