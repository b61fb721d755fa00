"""The batches that a journal names: calls that were handed to a provider and whose replies are still out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from spotui.domain.records import AnyLine, BatchedCall, BatchLine, CallKey, CallLine, DroppedLine


@dataclass(kw_only=True)
class KnownBatch:
    """A batch that was begun, in this session or an earlier one.

    Attributes:
        token: Our name of it.
        model: The model's id.
        since: When it was about to be handed in, in seconds since 1970.
        calls: All of its calls, in the order of their numbers.
        id: The provider's name of it; empty where that it was handed in is unknown.
        expires: When the provider gives it up at the latest, in seconds since 1970; 0 where that is unknown.
    """

    token: str
    model: str
    since: float
    calls: tuple[BatchedCall, ...]
    id: str = ""
    expires: float = 0.0


class Spot(NamedTuple):
    """Where a call without a reply is.

    Attributes:
        digest: A hash of what it asks.
        token: Its batch.
        number: Its number there.
    """

    digest: str
    token: str
    number: int


@dataclass
class KnownBatches:
    """What the lines of a journal say of batches.

    Attributes:
        by_token: Every batch that is neither collected nor given up.
        spots: Where each call is that has no reply.
        ids: The provider's names of all batches there ever were.
    """

    by_token: dict[str, KnownBatch] = field(default_factory=dict)
    spots: dict[CallKey, Spot] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def take(self, line: AnyLine) -> None:
        """Take the next line of a journal in."""
        match line:
            case BatchLine(state="intended"):
                since = line.at.timestamp()
                batch = KnownBatch(token=line.token, model=line.model, since=since, calls=line.calls)
                self.by_token[line.token] = batch
                for number, call in enumerate(line.calls):
                    self.spots[call.key] = Spot(call.digest, line.token, number)
            case BatchLine(state="submitted"):
                self.ids.add(line.id)
                if (known := self.by_token.get(line.token)) is not None:
                    known.id, known.expires = line.id, line.expires
            case BatchLine():
                self.close(line.token)
            case CallLine() | DroppedLine() if self.spots:
                self.spots.pop(line.key, None)
            case _:
                pass

    def spot(self, key: CallKey, digest: str) -> Spot | None:
        """Where a call is, if it is in a batch."""
        found = self.spots.get(key)
        return found if found is not None and found.digest == digest else None

    def close(self, token: str) -> None:
        """Forget a batch, and that calls are in it."""
        known = self.by_token.pop(token, None)
        for call in known.calls if known is not None else ():
            found = self.spots.get(call.key)
            if found is not None and found.token == token:
                del self.spots[call.key]

    def named(self, names: Iterable[str]) -> list[str]:
        """The tokens of the batches that have these names, ours or the provider's."""
        wanted = set(names)
        return [token for token, one in self.by_token.items() if wanted & {token, one.id}]
