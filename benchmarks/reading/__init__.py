"""What the metrics read, against the rules of lm-evaluation-harness: `python -m benchmarks.reading`.

Every answer of the corpus is made from a value that is known, so it is known what reading is right.
"""
