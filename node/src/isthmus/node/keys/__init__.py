"""Keys that never leave a node: agreeing on the key of a round, keeping it, and what derives from it."""
