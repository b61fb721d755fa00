"""The chat completions format, without the network."""
