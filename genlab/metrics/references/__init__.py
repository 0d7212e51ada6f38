"""Statistics of real images, which generated ones are compared with."""
