"""The nouns: events, quantities, lifecycle tables, outputs, policy, errors. No engine and no I/O."""
