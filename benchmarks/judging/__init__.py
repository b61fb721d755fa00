"""The decision rules against judges whose faults are known: `python -m benchmarks.judging` prints tables."""
