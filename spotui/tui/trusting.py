"""Asking in the app whether the Python file of a custom metric may run."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from spotui.errors import SpotuiError
from spotui.tui.question import Choice, QuestionScreen
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.metrics.own import MetricFile

_CHOICES = (Choice("no", "n", "do not run it"), Choice("yes", "y", "trust it until it changes, and run it"))


async def trusts_template(screen: Screen[Any], template: Path) -> bool:
    """Whether a template's custom metric may run; asks the user where that is not known yet.

    Args:
        screen: Where to ask, from a worker.
        template: The template.

    Raises:
        SpotuiError: The template, or its metric, is wrong.
    """

    def untrusted() -> "MetricFile | None":
        from spotui.run.trusting import metric_file, untrusted
        from spotui.template import read_template

        return untrusted(metric_file(read_template(template), template.parent))

    return await _trusts(screen, untrusted)


async def trusts_project(screen: Screen[Any], project: Project) -> bool:
    """Whether the custom metric of a project's run may run; asks and raises as `trusts_template` does."""

    def untrusted() -> "MetricFile | None":
        from spotui.run.trusting import metric_file_of, untrusted

        return untrusted(metric_file_of(project))

    return await _trusts(screen, untrusted)


async def _trusts(screen: Screen[Any], untrusted: "Callable[[], MetricFile | None]") -> bool:
    file = await asyncio.to_thread(untrusted)
    if file is None:
        return True
    text = (
        f"The metric {file.name} is Python code, which can do whatever you can do on this machine:\n"
        f"{file.path}\nSHA-256 {file.digest}\n"
        "Read it before you say yes. You are asked again when it changes."
    )
    if await screen.app.push_screen_wait(QuestionScreen("Run this file?", _CHOICES, text)) != "yes":
        return False
    from spotui.settings.trust import trust

    await asyncio.to_thread(trust, file.path, file.digest)
    return True


def not_trusted() -> SpotuiError:
    """The error after a no."""
    return SpotuiError(
        "It was not started: the file of its metric is not trusted.", "Read the file, then try again."
    )
