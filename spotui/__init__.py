"""spotui: the prompt optimizer that lives in the terminal.

`PromptOptimizer` and `SPO_LLM` take what SPO's reference takes. `Run` is the asynchronous form, with events;
`Launcher` makes one from a project, and `new_project` makes the project.
"""

from typing import TYPE_CHECKING

from spotui import version

__version__ = version.VERSION

if TYPE_CHECKING:
    from spotui.api import SPO_LLM, Optimized, PromptOptimizer
    from spotui.errors import SpotuiError
    from spotui.launch import Launcher
    from spotui.run.run import Run
    from spotui.run.setup import new_project

_HOMES = {
    "Launcher": "spotui.launch",
    "Optimized": "spotui.api",
    "PromptOptimizer": "spotui.api",
    "Run": "spotui.run.run",
    "SPO_LLM": "spotui.api",
    "SpotuiError": "spotui.errors",
    "new_project": "spotui.run.setup",
}

__all__ = [
    "SPO_LLM",
    "Launcher",
    "Optimized",
    "PromptOptimizer",
    "Run",
    "SpotuiError",
    "__version__",
    "new_project",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import spotui` costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spotui' has no attribute {name!r}")
