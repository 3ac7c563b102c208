"""The verbs: pure state machines that turn facts into what can be sold."""
