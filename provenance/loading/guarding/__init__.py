"""What the guard is made of: the hook, the net beneath loads, the loaders that are wrapped, and the report."""
