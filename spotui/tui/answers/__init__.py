"""What the answers screen is made of."""
