"""The click command line: one file a command; parses, calls, renders; no logic."""
