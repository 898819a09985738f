"""The style and the script of the audit's page; nothing else is loaded by it."""
