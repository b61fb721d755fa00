"""The full-screen app: a client of the wire that listens to events and sends commands."""
