"""Static readers of model files; never import or run what they read."""
