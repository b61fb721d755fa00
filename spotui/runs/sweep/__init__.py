"""Many runs from one plan: read, estimated, worked on here or on a cluster, and compared in one table."""
