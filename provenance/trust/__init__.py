"""Rosters: who may contribute, under which keys, with what force, and who has been shut out since when."""
