"""What other tools have becomes a template, and a template becomes what they have."""
