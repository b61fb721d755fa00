"""Opens a door over a real endpoint and a real journal, the way every test of it does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from spotui.domain.calls import Request
from spotui.domain.events import Event
from spotui.domain.messages import Message
from spotui.domain.records import AnyLine, CallKey, JournalLine, SentLine
from spotui.llm.batches.api import BatchApi
from spotui.llm.batches.collector import Batching
from spotui.llm.batches.known import KnownBatches
from spotui.llm.budget import Budget
from spotui.llm.connections import Connection, Connections
from spotui.llm.door import Door, Trouble
from spotui.llm.limits import Gate, Limiter
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.retry import Retry
from spotui.llm.routing import Endpoint, Limits, Price
from spotui.llm.spending import Spending
from spotui.settings.table import BudgetSettings, RetrySettings
from spotui.workspace.journal import Journal

Result = TypeVar("Result")
AnEvent = TypeVar("AnEvent", bound=Event)

ONCE = RetrySettings(tries=None, seconds=None)
PRICE = Price(input=1.0, output=4.0)


class Opened:
    """A door and all that is behind it.

    Attributes:
        events: All that it told.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self.journal = journal
        self.events: list[Event] = []
        self.states: list[tuple[str, str]] = []
        self.gate = Gate(lambda state, cause: self.states.append((state, cause)))
        self.door: Door

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - some of it happens without an event
                await asyncio.sleep(0.001)

    def told(self, kind: type[AnEvent]) -> list[AnEvent]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def spending(self) -> Spending:
        """What the budget has counted."""
        return self.door.budget.spending

    def lines(self) -> list[AnyLine]:
        """What became of calls, from the journal on the disk."""
        with Journal(self.path) as journal:
            return [line for line in journal.lines() if not isinstance(line, JournalLine | SentLine)]


@asynccontextmanager
async def an_open_door(
    base_url: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    budget: BudgetSettings | None = None,
    retry: RetrySettings = ONCE,
    on_trouble: Trouble = "halt",
    price: Price | None = PRICE,
    silence: float = 5.0,
    batches: Callable[[Endpoint], BatchApi] | None = None,
    leaves: bool = False,
    is_live: bool = False,
) -> AsyncIterator[Opened]:
    path = folder / "journal.jsonl"
    limits = limits or Limits()

    def connect(model: str) -> Connection:
        endpoint = Endpoint(model, base_url, timeout=silence, limits=limits, price=price)
        return Connection(
            endpoint,
            OpenAICompatibleProvider(endpoint),
            Limiter(limits),
            find_batches=lambda: None if batches is None else batches(endpoint),
        )

    known, run = KnownBatches(), None if path.exists() else "test"
    with Journal(path, run=run, writable=True, each=known.take) as journal:
        opened = Opened(path, journal)
        connections = Connections(connect)
        opened.door = Door(
            connections=connections,
            ledger=journal,
            budget=Budget(budget or BudgetSettings(), clock=asyncio.get_running_loop().time),
            gate=opened.gate,
            retry=Retry(retry),
            emit=opened.events.append,
            on_trouble=on_trouble,
        )
        try:
            if batches is None:
                yield opened
            else:
                how = Batching(known=known, leaves=leaves, is_live=is_live)
                async with opened.door.batching(how):
                    yield opened
        finally:
            await connections.aclose()


def a_request(text: str = "What is two and two?", **fields: Any) -> Request:
    return Request("test-model", (Message("user", text),), **fields)


def a_key(index: int = 0, *, purpose: str = "execute", attempt: int = 1) -> CallKey:
    return CallKey(1, purpose, index, attempt)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, but not for ever."""
    return asyncio.run(asyncio.wait_for(main, 30))
