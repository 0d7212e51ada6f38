"""References: statistics of the real images that generated ones are compared with."""
