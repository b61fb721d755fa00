"""What the methods are worth on real rows with small models.

`python -m benchmarks.evidence ROWS` runs every method on every task with every seed, tests what they found,
and writes docs/evidence.md. The tasks are those whose best probe gains most; `--headroom` only measures that.
ROWS is a folder with a JSONL file of `question` and `answer` for each task. It takes hours, and goes on where
it was when it is started again: every reply is kept, and what was tested is in results.jsonl, so that another
machine goes on where this one stopped.

The models are embedded ones. `--executor` and `--writer` name others, such as the same models behind a server
that your config file names; those are bound to grammars with `--grammar` only.
"""
