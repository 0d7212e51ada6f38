"""Extractors: networks and rules that turn images into the features that scores are measured in."""
