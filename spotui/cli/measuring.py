"""What verbs that measure share: what it will take, how far it is, one JSON object for a program."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import paint
from spotui.domain.events import CallFinished, Event, Noticed
from spotui.lang import _, as_asked

if TYPE_CHECKING:
    from spotui.runs.estimate import Estimate


def add_output(parser: argparse.ArgumentParser) -> None:
    """How a verb that measures answers: in words, or as JSON."""
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help=_("one JSON object"))
    output.add_argument(
        "--json-lines",
        action="store_true",
        help=_("the same, after a line with how far it is for every call"),
    )


class Progress:
    """How far it is: as lines for a program, or in place where a person watches.

    Args:
        of: Calls that are expected.
        as_lines: Whether a program reads them.
    """

    def __init__(self, of: int, *, as_lines: bool) -> None:
        self._of = of
        self._done = 0
        self._as_lines = as_lines
        self._is_watched = not as_lines and sys.stderr.isatty()
        self._printed: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Show that a call has ended, or what there is to notice, each text once."""
        if isinstance(event, Noticed) and event.text not in self._printed:
            self._printed.add(event.text)
            print(f"spotui: {event.text}", file=sys.stderr)
        elif isinstance(event, CallFinished):
            self._done += 1
            if self._as_lines:
                write_json({"done": self._done, "of": max(self._done, self._of)})
            elif self._is_watched:
                call = _("call {done:,} of about {of:,}", done=self._done, of=self._of)
                paint(f"\r{call} ", sys.stderr)

    def end(self) -> None:
        """Leave the line to what follows."""
        if self._is_watched and self._done:
            paint("\r\x1b[K", sys.stderr)


def write_json(data: dict[str, object]) -> None:
    """Print one JSON object on a line."""
    import msgspec

    print(msgspec.json.encode(data, enc_hook=as_asked).decode(), flush=True)


def print_expected(expected: "Estimate") -> None:
    """Print what it will take, with every warning."""
    print(_("Expected: {estimate}", estimate=expected.line))
    for text in expected.warnings:
        print(_("Warning: {text}", text=text))


def expected_json(expected: "Estimate") -> dict[str, object]:
    """The same for a program."""
    return {
        "calls": expected.calls,
        "tokens": expected.tokens,
        "usd": expected.usd,
        "seconds": expected.seconds,
        "warnings": expected.warnings,
    }


def margin_of(text: str, *, most: int) -> float:
    """The loss that counts as none, 0..1.

    Args:
        text: What was typed, in points of 100.
        most: The largest margin, in points.

    Raises:
        UsageError: It is not a number of points.
    """
    fault = UsageError(
        _("--margin takes points from 0 to {most}, not {text}.", most=most, text=text),
        _("Write, for example, --margin 3 for 3 points of 100."),
    )
    return share_of(text, lambda points: 0 <= points <= most, fault)


def share_of(text: str, is_allowed: Callable[[float], bool], fault: UsageError) -> float:
    """Points of 100 that were typed, as a share from 0 to 1.

    Args:
        text: What was typed.
        is_allowed: Whether so many points may be given.
        fault: What is raised where they may not, or where the text is no number.
    """
    try:
        points = float(text)
    except ValueError:
        raise fault from None
    if not is_allowed(points):
        raise fault
    return points / 100
