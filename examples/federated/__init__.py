"""Federated learning of handwritten digits among people who sign their updates, some of whom attack."""
