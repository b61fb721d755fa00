"""Calls that are sent together, as a batch of the provider: cheaper, and answered within a day."""
