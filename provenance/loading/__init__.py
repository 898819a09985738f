"""Verified loads, sealed files and what hands them to other loaders."""
