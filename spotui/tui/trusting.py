"""Asking in the app whether a custom metric may run, and whether rows of other folders may be sent."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from spotui.domain.errors import SpotuiError
from spotui.tui.dialogs import Choice, QuestionScreen
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.metrics.custom import MetricFile


_RUN = (Choice("no", "n", "do not run it"), Choice("yes", "y", "trust it until it changes, and run it"))
_SEND = (Choice("no", "n", "do not send them"), Choice("yes", "y", "send them, now and in later runs"))


async def trusts_template(screen: Screen[Any], template: Path) -> bool:
    """Whether a template's custom metric may run and its rows may be sent; asks the user where that is open.

    Args:
        screen: Where to ask, from a worker.
        template: The template.

    Raises:
        SpotuiError: The template, or its metric, is wrong.
    """
    folder = template.parent.resolve()

    def open_questions() -> "tuple[MetricFile | None, list[Path]]":
        from spotui.runs.trust import metric_file, outside_data, untrusted
        from spotui.settings.trust import may_be_sent
        from spotui.templates.read import read_template

        read = read_template(template)
        data = [path for path in outside_data(read, folder) if not may_be_sent(path, folder)]
        return untrusted(metric_file(read, template.parent)), data

    file, data = await asyncio.to_thread(open_questions)
    if not await _may_run(screen, file):
        return False
    for path in data:
        if not await _may_send(screen, path, folder):
            return False
    return True


async def trusts_project(screen: Screen[Any], project: Project) -> bool:
    """Whether the custom metric of a project's run may run; asks and raises as `trusts_template` does."""

    def untrusted() -> "MetricFile | None":
        from spotui.runs.trust import metric_file_of, untrusted

        return untrusted(metric_file_of(project))

    return await _may_run(screen, await asyncio.to_thread(untrusted))


def not_trusted() -> SpotuiError:
    """The error after a no."""
    return SpotuiError(
        "It was not started, because you did not agree to a file that it needs.",
        "Look at the file, then try again.",
    )


async def _may_run(screen: Screen[Any], file: "MetricFile | None") -> bool:
    if file is None:
        return True
    text = (
        f"The metric {file.name} is Python code, which can do whatever you can do on this machine:\n"
        f"{file.path}\nSHA-256 {file.digest}\n"
        "Read it before you say yes. You are asked again when it changes."
    )
    if await screen.app.push_screen_wait(QuestionScreen("Run this file?", _RUN, text)) != "yes":
        return False
    from spotui.settings.trust import trust

    await asyncio.to_thread(trust, file.path, file.digest)
    return True


async def _may_send(screen: Screen[Any], path: Path, folder: Path) -> bool:
    text = (
        f"The template takes its rows from a file outside its folder:\n{path}\n"
        f"Their texts would go to the models. You are not asked again for templates in {folder}."
    )
    if await screen.app.push_screen_wait(QuestionScreen("Send the rows of this file?", _SEND, text)) != "yes":
        return False
    from spotui.settings.trust import allow_sending

    await asyncio.to_thread(allow_sending, path, folder)
    return True
