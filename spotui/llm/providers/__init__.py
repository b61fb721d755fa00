"""Providers: each turns one request into one reply, and knows nothing of retry, budget or journal."""
