"""The signs by which formats are told apart, one kind of format a file."""
