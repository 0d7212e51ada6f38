"""Live objects from a config, and the checks and advice before the first step."""
