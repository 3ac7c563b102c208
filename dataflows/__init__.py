"""The sentences: each job on one screen, the engine, the configuration and the command line."""
