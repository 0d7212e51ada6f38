"""Networks that make an image from a picture."""
