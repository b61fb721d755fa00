"""The rows that a model writes, as `spotui rows --json-lines` prints them, and what is decided of each."""

from dataclasses import dataclass, field

import msgspec

from spotui.domain.event_lines import decode_event
from spotui.domain.events import Event, SpendingChanged
from spotui.domain.figures import count, usd
from spotui.lang import ngettext
from spotui.runs.drafts import Decision, Draft


@dataclass
class Item:
    """A draft.

    Attributes:
        draft: As the model wrote it.
        left: As it is kept.
        decision: What became of it.
    """

    draft: Draft
    left: Draft
    decision: Decision = "open"


class _Line(msgspec.Struct):
    """A line that is no event."""

    row: Draft | None = None
    left_out: int | None = None
    model: str = ""


@dataclass
class WrittenRows:
    """All rows that came, in one request for rows or several.

    Attributes:
        items: The rows.
        model: Who wrote them.
        came: How many came since it was asked last, those of an earlier time included.
    """

    items: list[Item] = field(default_factory=list)
    model: str = ""
    came: int = 0
    _left_out: int = 0
    _left_out_before: int = 0
    _spent: list[SpendingChanged] = field(default_factory=list)

    def begin(self) -> None:
        """The model is asked now."""
        self.came, self._left_out_before = 0, self._left_out
        self._spent.append(SpendingChanged(calls=0, prompt_tokens=0, completion_tokens=0, cost_usd=0.0))

    def take(self, line: bytes) -> Event | None:
        """Let a line change it; gives back the event in it, if there is one."""
        if line.startswith(b'{"event"'):
            event = decode_event(line)
            if isinstance(event, SpendingChanged):
                self._spent[-1] = event
            return event
        said = msgspec.json.decode(line, type=_Line)
        self.model = said.model or self.model
        if said.left_out is not None:
            self._left_out = self._left_out_before + said.left_out
        if said.row is not None:
            self.came += 1
            if all(said.row != one.draft for one in self.items):
                self.items.append(Item(said.row, said.row))
        return None

    def count(self, decision: Decision) -> int:
        """How many rows have this decision."""
        return sum(one.decision == decision for one in self.items)

    @property
    def cost(self) -> str:
        """Calls, tokens and cost; empty before the first call."""
        calls = sum(one.calls for one in self._spent)
        if not calls:
            return ""
        estimated = any(one.estimated for one in self._spent)
        tokens = sum(one.prompt_tokens + one.completion_tokens for one in self._spent)
        usd_spent, unpriced = (
            sum(one.cost_usd for one in self._spent),
            sum(one.unpriced for one in self._spent),
        )
        return ngettext(
            "{n:,} call: {tokens} tok, {cost}",
            "{n:,} calls: {tokens} tok, {cost}",
            calls,
            tokens=count(tokens, estimated=estimated),
            cost=usd(usd_spent, unpriced, estimated=estimated),
        )

    @property
    def summary(self) -> str:
        """What became of the rows, in a few words."""
        parts = []
        if kept := self.count("kept"):
            parts.append(ngettext("{n:,} kept", "{n:,} kept", kept))
        if dropped := self.count("dropped"):
            parts.append(ngettext("{n:,} dropped", "{n:,} dropped", dropped))
        if self._left_out:
            parts.append(
                ngettext("{n:,} near-duplicate left out", "{n:,} near-duplicates left out", self._left_out)
            )
        return ", ".join(parts)
