"""What Home is made of: projects, templates, and the actions on them."""
