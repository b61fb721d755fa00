"""What the methods are worth on real rows with the embedded models.

`python -m benchmarks.evidence ROWS` runs every method on every task with every seed, tests what they found,
and writes docs/evidence.md. The tasks are those whose best probe gains most; `--headroom` only measures that.
ROWS is a folder with a JSONL file of `question` and `answer` for each task. It takes hours, and goes on where
it was when it is started again: every reply is kept.
"""
