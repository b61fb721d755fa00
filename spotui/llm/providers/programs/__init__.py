"""What of the user's answers in place of a model: commands, addresses and Python functions."""
