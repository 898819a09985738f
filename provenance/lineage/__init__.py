"""What artifacts were made from and who gave what: statements written, found, verified and followed."""
