"""A move to a new model that does not lose: archive, same prompt, new prompt, advice."""
