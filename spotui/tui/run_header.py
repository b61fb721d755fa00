"""The row that tells at a glance how a run stands."""

import time
from collections.abc import Callable
from typing import Any

from textual.content import Content
from textual.widget import Widget

from spotui.view.figures import count, duration, usd
from spotui.view.picture import Picture


class RunHeader(Widget):
    """Name, method, round, state, tokens, money, time and calls in flight, on one row."""

    DEFAULT_CSS = """
    RunHeader { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._left = Content("")
        self._right = Content("")
        self._said = ""

    def say(self, text: str) -> None:
        """Show a text in place of the state, until it is empty."""
        self._said = " ".join(text.split())
        self.refresh()

    def show(self, project: str, picture: Picture, *, is_attached: bool) -> None:
        """Paint again, if anything that is shown has changed."""
        left, right = _left(project, picture, is_attached=is_attached), _right(picture)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        """Left what it is, right what it takes."""
        width = self.content_size.width
        room = width - self._right.cell_length - 2
        left = Content(f"  {self._said}") if self._said else self._left
        left = left.truncate(max(0, room), ellipsis=True)
        gap = " " * max(2, width - left.cell_length - self._right.cell_length)
        return Content.assemble(left, gap, self._right)


def _left(project: str, picture: Picture, *, is_attached: bool) -> Content:
    parts: list[Content | tuple[str, str] | str] = [(project, "bold $secondary")]
    if picture.opened is not None and picture.opened.method:
        parts.append(f"  {picture.opened.method.upper()}")
    if picture.current is not None:
        parts.append(f"  round {picture.current.number} of {picture.rounds_wanted}")
    state, tone = _state(picture, is_attached=is_attached)
    parts.append((f"  {state}", tone))
    if picture.cause and picture.state not in {"running", "ended"}:
        parts.append(f": {' '.join(picture.cause.split())}")
    return Content.assemble(*parts)


def _state(picture: Picture, *, is_attached: bool) -> tuple[str, str]:
    if picture.stopped is not None:
        return picture.stopped.reason, "$text-error" if picture.stopped.reason == "failed" else "$text-muted"
    if not is_attached:
        return ("not running", "$text-muted")
    tone = {"running": "$text-success", "paused": "$text-warning"}.get(picture.state, "$text-warning")
    return picture.state, tone


def _right(picture: Picture) -> Content:
    spent = picture.spending
    if spent is None:
        return Content("")
    since = time.time() - spent.at if picture.calls else 0.0
    parts = [
        _of(f"{count(spent.prompt_tokens + spent.completion_tokens)} tok", picture, "tokens", count),
        _of(usd(spent.cost_usd, spent.unpriced), picture, "usd", usd),
        _of(
            duration(spent.seconds + max(0.0, since)), picture, "minutes", lambda limit: duration(60 * limit)
        ),
    ]
    if picture.limits.get("calls"):
        parts.append(_of(f"{spent.calls} calls", picture, "calls", str))
    if (left := picture.seconds_left) is not None:
        parts.append(f"~{duration(left)} left")
    if picture.calls:
        parts.append(f"{len(picture.calls)} in flight")
    return Content("  ".join(parts))


def _of(spent: str, picture: Picture, limit: str, shown: Callable[[Any], str]) -> str:
    value = picture.limits.get(limit)
    return spent if value is None else f"{spent} of {shown(value)}"


def _minutes(minutes: float) -> str:
    return duration(60 * minutes)
