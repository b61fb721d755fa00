"""A run: method, engine, budget and journal together, as a stream of events."""
