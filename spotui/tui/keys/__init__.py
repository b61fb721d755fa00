"""Keys: which there are, which the user has put elsewhere, and the screen that tells them."""
