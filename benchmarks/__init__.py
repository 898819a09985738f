"""Side by side with peers: run by hand or in CI, prints medians and ratios, never asserts a time."""
