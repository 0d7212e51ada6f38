"""Scores: one file a metric, and the formulas they share."""
