"""Signers and verifiers: keys, certificates, Sigstore."""
