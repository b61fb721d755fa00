"""Runs of a sweep on the workers of a Dask cluster.

The machine that starts the sweep is its home: it keeps the workspace, the budget and the limits of endpoints.
Every run is a task of the cluster, which connects to its home and does nothing without it. A line of a
journal is written by the worker, sent home, and written there; only then does its call count as finished. So
whatever happens to a worker, what was bought is at home, and the run resumes elsewhere.
"""
