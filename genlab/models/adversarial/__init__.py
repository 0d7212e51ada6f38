"""Generators and discriminators of GANs."""
