"""GRAD-SUM (Austin and Chartock, arXiv 2407.12865)."""

from spotui.methods.gradsum.beam import optimize
from spotui.methods.gradsum.parameters import Parameters, calls
from spotui.methods.method import Method

__all__ = ["GRADSUM"]

GRADSUM = Method(
    optimize=optimize,
    summary="Says for every failure what to change, sums that up, and edits a beam of prompts by it.",
    source="Austin and Chartock, arXiv 2407.12865",
    parameters=Parameters,
    scores=True,
    rounds=lambda parameters, _: 1 + parameters.iterations,
    calls=calls,
    length="iterations",
    edits=lambda _: True,
    meta_prompts=("gradsum_gradient", "gradsum_summarize", "gradsum_edit"),
)
