"""The template on the screen: its YAML, its form, what is wrong with it."""
