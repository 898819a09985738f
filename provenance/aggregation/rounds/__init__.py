"""Verified rounds: signed updates in, one signed result out, which anyone can recompute."""
