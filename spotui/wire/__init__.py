"""How a run is heard and told from other processes: its socket, its process, and trackers."""
