"""Readers of formats that are no pickles and no archives, one file each."""
