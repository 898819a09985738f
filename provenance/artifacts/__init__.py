"""Files to chunks, digests and manifests."""
