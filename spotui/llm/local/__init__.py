"""A model that runs on this machine: fetched, checked, kept and served by spotui itself."""
