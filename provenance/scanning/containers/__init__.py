"""Readers of containers: one member list each, whatever it is that other loaders would see."""
