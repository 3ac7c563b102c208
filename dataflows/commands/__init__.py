"""One file per word of the command line: `add` describes it, `run` does it and returns the exit code."""
