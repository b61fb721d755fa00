"""What can go wrong with a call, told so that a person can act on it."""
