"""From a model back to every signed record, and forward from a revoked key to every model."""
