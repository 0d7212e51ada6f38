"""Weights that other programs trained, read without running what their files carry."""
