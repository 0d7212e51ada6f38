"""Encoders, decoders, and the latents between them."""
