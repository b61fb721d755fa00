"""What a method tells of a round, kept with the round."""

from collections.abc import Callable

import msgspec

from spotui.events import (
    BeamChosen,
    CandidateProposed,
    CandidateRefused,
    CandidateScored,
    Event,
    NoteWritten,
    PastShown,
    encode_event,
)
from spotui.workspace.lines import RoundLine


class Chronicle:
    """Passes events on, and gives those that only they hold to the journal when their round has ended.

    A run that is resumed goes through its rounds again and tells everything once more; the journal has
    the line of such a round already, and with it what was told.

    Args:
        emit: Told everything.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._told: dict[int, list[Event]] = {}

    def emit(self, event: Event) -> None:
        """Pass an event on."""
        match event:
            case CandidateScored(split="test"):
                pass  # of no round: the test at the end has a line of its own
            case CandidateProposed() | CandidateRefused() | CandidateScored():
                self._told.setdefault(event.round, []).append(event)
            case PastShown() | NoteWritten() | BeamChosen():
                self._told.setdefault(event.round, []).append(event)
            case _:
                pass
        self._emit(event)

    def close(self, line: RoundLine) -> RoundLine:
        """A round's line with what was told of it, unless that is nothing but the candidate it names."""
        told = self._told.pop(line.round, [])
        if all(isinstance(event, CandidateProposed | CandidateRefused) for event in told):
            return line
        return msgspec.structs.replace(
            line, told=tuple(msgspec.Raw(encode_event(one).rstrip()) for one in told)
        )
