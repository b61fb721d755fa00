"""What Home is made of: projects, templates, and what can be done with them."""
