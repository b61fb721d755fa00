"""What the user wants: the config file, the environment, flags, roles, models and keys."""
