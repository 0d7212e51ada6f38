"""Networks that grow, and generators that styles steer."""
