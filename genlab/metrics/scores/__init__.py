"""Scores: a file for each metric, and the formulas that they share."""
