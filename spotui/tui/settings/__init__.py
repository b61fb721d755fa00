"""The user's defaults on the screen: one row each, saved as they are left."""
