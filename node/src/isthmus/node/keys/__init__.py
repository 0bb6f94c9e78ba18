"""Keys that never leave a node: the linkage key and what derives from it."""
