"""What the Try it screen is made of."""
