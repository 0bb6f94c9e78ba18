"""Made-up people that every node of a round adds to its rows, to measure recall. docs/protocol.md section 14."""
