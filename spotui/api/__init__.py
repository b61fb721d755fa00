"""spotui in Python: SPO's reference interface, and the optimization of a prompt in one call."""

from spotui.api.optimization import Optimization, aoptimize, optimize
from spotui.api.reference import SPO_LLM, Optimized, PromptOptimizer

__all__ = ["SPO_LLM", "Optimization", "Optimized", "PromptOptimizer", "aoptimize", "optimize"]
