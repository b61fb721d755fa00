"""spotui: the prompt optimizer that lives in the terminal.

A prompt in one call; `aoptimize` is the same for asynchronous code::

    import spotui

    result = spotui.optimize(
        "Answer the question.",
        questions={"What is 2 + 2?": "4", "What is 3 + 5?": "8", "What is 7 - 4?": "3"},
        requirements="The number alone.",
        models="gpt-4o-mini",
        budget=0.50,
    )
    print(result.prompt, result.gain, result.interval, result.cost_usd)

What SPO's reference takes; it prints each round and the final prompt (`quiet=True` prints nothing)::

    from spotui import SPO_LLM, PromptOptimizer

    SPO_LLM.initialize(
        optimize_kwargs={"model": "gpt-4o", "temperature": 0.7},
        evaluate_kwargs={"model": "gpt-4o-mini", "temperature": 0.3},
        execute_kwargs={"model": "gpt-4o-mini", "temperature": 0},
    )
    done = PromptOptimizer(optimized_path="workspace", max_rounds=5, template="poem", name="first").optimize()
    print(f"{done.prompt!r} is round {done.best}, kept in {done.folder}")

The same for asynchronous code, with every event of `spotui.domain.events`::

    import asyncio

    from spotui import PromptOptimizer
    from spotui.domain.events import RoundFinished

    async def main():
        run = PromptOptimizer("workspace", max_rounds=5, template="poem", name="second").run()
        async for event in run.events():
            if isinstance(event, RoundFinished):
                print(f"round {event.round}: {event.outcome}")

    asyncio.run(main())
"""

from typing import TYPE_CHECKING

from spotui.domain import version

if TYPE_CHECKING:
    from spotui.api import SPO_LLM, Optimization, Optimized, PromptOptimizer, aoptimize, optimize
    from spotui.domain.errors import SpotuiError
    from spotui.runs.run import Run


__version__ = version.VERSION


_HOMES = {
    "Optimization": "spotui.api",
    "Optimized": "spotui.api",
    "PromptOptimizer": "spotui.api",
    "Run": "spotui.runs.run",
    "SPO_LLM": "spotui.api",
    "SpotuiError": "spotui.domain.errors",
    "aoptimize": "spotui.api",
    "optimize": "spotui.api",
}

__all__ = [
    "SPO_LLM",
    "Optimization",
    "Optimized",
    "PromptOptimizer",
    "Run",
    "SpotuiError",
    "__version__",
    "aoptimize",
    "optimize",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import spotui` costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spotui' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
