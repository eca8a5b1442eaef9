"""Physics maps: what classical methods say of each pattern."""
