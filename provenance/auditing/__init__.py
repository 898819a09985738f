"""The audit: everything that can be shown of an artifact, for a person who must answer for it."""
