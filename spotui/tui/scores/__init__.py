"""What the screen of scored prompts is made of."""
