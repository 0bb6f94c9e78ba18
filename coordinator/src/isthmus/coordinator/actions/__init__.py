"""One function per thing that somebody can do: check that they may, load, compute, and store with the audit event."""
