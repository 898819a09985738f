"""A corpus of model files, generated from mechanisms: malicious ones with harmless payloads, and harmless ones."""
