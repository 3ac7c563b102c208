"""The destinations: where answers go."""
