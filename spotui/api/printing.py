"""What a run in Python prints: how each round ended, and the final prompt."""

import sys
from contextlib import suppress

from spotui.domain.events import (
    CallRetried,
    CandidateProposed,
    Event,
    Noticed,
    RoundFinished,
    RunOpened,
    RunStopped,
    StateChanged,
)
from spotui.domain.figures import duration, points
from spotui.domain.text import visible
from spotui.lang import _, ngettext, spaced
from spotui.view.picture import Picture, worth


class Printer:
    """Prints what the reference prints: how each round ended, and the final prompt; also what goes wrong."""

    def __init__(self) -> None:
        self._picture = Picture()
        self._modification = ""

    def show(self, event: Event) -> None:
        """Print what an event says, if it is worth a line."""
        self._picture.apply(event)
        match event:
            case RunOpened():
                rounds = ngettext("{n:,} round", "{n:,} rounds", event.rounds)
                self._print(f"{event.project}: {event.method}, {rounds}")
            case CandidateProposed():
                self._modification = event.modification
            case RoundFinished():
                self._print(_round(event, self._modification))
                self._modification = ""
            case Noticed():
                self._print(("" if event.level == "info" else f"{event.level.capitalize()}: ") + event.text)
            case CallRetried():
                self._print(
                    _(
                        "{error} Try {tries} in {wait}.",
                        error=event.error,
                        tries=event.tries + 1,
                        wait=duration(event.wait),
                    )
                )
            case StateChanged(state="paused"):
                self._print(_("Paused: {cause}", cause=event.cause))
            case RunStopped():
                self._print(spaced((event.cause, worth(self._picture, event))))
                self._print(
                    _("Best round: {best}\nFinal prompt:\n{prompt}", best=event.best, prompt=event.prompt)
                )
            case _:
                pass

    def _print(self, text: str) -> None:
        line = visible(text) + "\n"
        with suppress(OSError, ValueError):  # a run outlives the reader of its output
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()


def _round(event: RoundFinished, modification: str) -> str:
    facts = f" ({event.wins}:{event.losses})" if event.wins or event.losses else ""
    if event.score is not None:
        facts = f", score {points(event.score)}"
    ended = f"Round {event.round}: {event.outcome}{facts}"
    if event.outcome == "seed":
        return ended
    why = event.note or modification
    return f"{ended}; best is round {event.best}" + (f". {' '.join(why.split())}" if why else "")
