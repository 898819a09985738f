"""In-toto statements, DSSE envelopes, Sigstore bundles, and where they are found."""
