"""Collects the calls of a run that wait for the same model, and sends them as batches.

Independent calls of a round run concurrently: each comes here and waits. When nothing further can come,
because everything in the run waits for a batch, those of one model become one batch, or several where the
provider's limits want that.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import uuid4

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event, Noticed
from spotui.domain.figures import moment
from spotui.domain.records import BatchedCall, CallKey
from spotui.lang import _, join, ngettext
from spotui.llm.accounts import Accounts
from spotui.llm.batches.api import shared_price
from spotui.llm.batches.batch import Batch, Call, Desk
from spotui.llm.batches.known import KnownBatches
from spotui.llm.budget import Budget
from spotui.llm.connections import Connection
from spotui.llm.limits import Gate, GateState
from spotui.llm.protocol import ModelError, digest_of
from spotui.llm.retry import AskAgainError, Retry
from spotui.llm.spending import BYTES_PER_TOKEN, Reservation

_LOOK: Final = 0.1
_LOOKS: Final = 5
"""Looks in a row, so many seconds apart, at which nothing may have come before a batch is closed."""

_PATIENCE: Final = 600.0
"""Seconds that calls wait for others while live calls are under way, of which more may come."""

_FRAME: Final = 4096
"""Bytes of a batch that are none of a request."""

NO_ROOM: Final = Reservation(tokens=0, usd=0.0, ceiling=None)


class Batching(msgspec.Struct, kw_only=True):
    """How a session works with batches.

    Attributes:
        known: What its journal says of batches.
        leaves: Whether the run ends, with the reason `waiting`, when it only waits for batches.
        is_live: Whether calls that are in no batch yet are sent live.
    """

    known: KnownBatches
    leaves: bool = False
    is_live: bool = False


class Batches:
    """Sends calls as batches.

    Args:
        batching: How.
        accounts: Keep replies, and count them.
        budget: What may be spent.
        gate: Whether anything may be sent.
        retry: When something that failed is tried again.
        emit: Told what happens.
        prepare: Adds the contents of files to a request.
        trouble: See `Desk.trouble`.
        finished: See `Desk.finished`.
    """

    def __init__(
        self,
        batching: Batching,
        *,
        accounts: Accounts,
        budget: Budget,
        gate: Gate,
        retry: Retry,
        emit: Callable[[Event], None],
        prepare: Callable[[Request], Request],
        trouble: Callable[[SpotuiError], Awaitable[None]],
        finished: Callable[[CallKey, Request, Reply], None],
    ) -> None:
        self._batching = batching
        self._known = batching.known
        self._prepare = prepare
        self._desk = Desk(
            accounts=accounts,
            budget=budget,
            gate=gate,
            retry=retry,
            known=batching.known,
            emit=emit,
            trouble=trouble,
            finished=finished,
            again=self._queue_again,
        )
        self._waiting: dict[str, dict[Call, None]] = {}
        self._open: dict[str, Batch] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._stirred = asyncio.Event()
        self._arrivals = 0
        self._live = 0
        self._oldest = 0.0
        self._told: set[tuple[str, str]] = set()
        gate.tell(self._follow)

    def takes(self, key: CallKey, request: Request, connection: Connection) -> bool:
        """Whether a call goes into a batch, or is in one; that it does not is said once for each reason.

        Raises:
            ModelError: The batches of the model's provider cannot be used as things are set.
        """
        if self._batching.is_live and self._known.spot(key, digest_of(request)) is None:
            return False
        api = connection.batches
        if api is None:
            self._tell_once(
                request.model,
                _("{model} has no batches that spotui knows: its calls are sent live.", model=request.model),
            )
            return False
        if self._batching.is_live:
            return True
        if why := api.obstacle(request):
            text = _(
                "A call to {model} cannot be in a batch, because {why}: such calls are sent live.",
                model=request.model,
                why=why,
            )
            self._tell_once(request.model, text)
        return not why

    @contextmanager
    def live(self) -> Iterator[None]:
        """The time of a live call: others may follow from it, so no batch is closed meanwhile."""
        self._live += 1
        self._arrivals += 1
        self._begin_work()
        try:
            yield
        finally:
            self._live -= 1

    async def ask(self, key: CallKey, request: Request, connection: Connection) -> Reply:
        """The reply to a call that goes into a batch, or is in one.

        Raises:
            Halted: The run ends first; the call stays in its batch.
            AskAgainError: The call is to be asked for again.
            BudgetSpentError: It does not fit into the budget.
            ModelError: The provider refuses the request, or did not answer it in several batches.
        """
        api, desk = connection.batches, self._desk
        assert api is not None  # noqa: S101 - `takes` says so
        price = shared_price(await connection.price(), api.share)
        await desk.gate.passage()
        self._begin_work()
        call = Call(
            key=key,
            request=request,
            digest=digest_of(request),
            api=api,
            price=price,
            reservation=NO_ROOM,
            reply=asyncio.get_running_loop().create_future(),
        )
        if self._known.spot(key, call.digest) is not None:
            # It is bought: there is room for it, whatever is left.
            call.reservation = desk.budget.hold(request, key.purpose, price)
            await self._join(call)
        else:
            repeated = key.attempt > 1
            call.reservation = await desk.budget.reserve(request, key.purpose, price, is_repeated=repeated)
            try:
                await desk.gate.passage()
                desk.accounts.check_room()
            except BaseException:
                desk.budget.release(call.reservation)
                raise
            self._queue(call)
        return await self._reply(call)

    def finish(self) -> None:
        """Count what nobody will ask for any more, as the run has ended as planned."""
        desk = self._desk
        for key, found in desk.unclaimed.items():
            nothing = Request(found.batch.model, ())
            with contextlib.suppress(ModelError):
                if (reply := found.batch.api.read(nothing, found.payload, found.seconds)) is not None:
                    desk.accounts.leave(key, nothing, reply, found.batch.price)
        for batch in self._open.values():
            for call in batch.waiting.values():
                if call.outcome is None and not call.is_wanted:
                    heard = BYTES_PER_TOKEN * desk.budget.expected_reply(call.request, call.key.purpose)
                    why = _("the run ended before its batch did")
                    desk.accounts.lose(call.key, call.request, heard, call.price, why)

    async def aclose(self) -> None:
        """Stop working on batches; those that were handed in stay with their provider."""
        tasks = [*self._work, *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reply(self, call: Call) -> Reply:
        try:
            reply = await call.reply
        except asyncio.CancelledError:
            call.is_wanted = False
            queue = self._waiting.get(call.request.model, {})
            if queue.pop(call, call) is None:  # one in a batch stays there, and is kept when it comes
                self._desk.budget.release(call.reservation)
            raise
        if reply is not None:
            return reply
        call.is_wanted = False
        self._desk.budget.release(call.reservation)
        await self._desk.gate.passage()
        raise AskAgainError

    def _queue(self, call: Call) -> None:
        queue = self._waiting.setdefault(call.request.model, {})
        if not any(self._waiting.values()):
            self._oldest = time.monotonic()
        queue[call] = None
        self._arrivals += 1
        self._stir()

    def _queue_again(self, calls: Sequence[Call]) -> None:
        for call in calls:
            call.outcome = None
            self._queue(call)

    async def _join(self, call: Call) -> None:
        """Wait for what comes of a call that is in a batch already."""
        desk = self._desk
        found = desk.unclaimed.pop(call.key, None)
        if found is not None and found.spot.digest == call.digest:
            await desk.take(call, found.payload, found.seconds)
            if found.spot.token not in self._open:
                desk.close_if_claimed(found.spot.token)
            desk.settle([call])
            return
        spot = self._known.spot(call.key, call.digest)
        assert spot is not None  # noqa: S101 - nothing was waited for since it was seen
        batch = self._open.get(spot.token) or self._reopen(spot.token, call)
        batch.waiting[spot.number] = call
        self._arrivals += 1
        self._stir()

    def _reopen(self, token: str, call: Call) -> Batch:
        """Work on a batch that was begun before."""
        known = self._known.by_token[token]
        return self._start(
            Batch(
                token=token,
                model=known.model,
                api=call.api,
                price=call.price,
                calls=known.calls,
                desk=self._desk,
                over=self._end,
                since=known.since,
                asked=known.since,
                id=known.id,
                expires=known.expires,
                is_uncertain=True,
            )
        )

    def _start(self, batch: Batch) -> Batch:
        self._open[batch.token] = batch
        task = asyncio.create_task(batch.carry())
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return batch

    def _end(self, batch: Batch) -> None:
        del self._open[batch.token]
        self._arrivals += 1
        self._stir()

    def _stir(self) -> None:
        self._stirred.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Close batches when nothing further can come, and end the run when that is wanted."""
        calm = seen = 0
        while True:
            if not (any(self._waiting.values()) or self._open):
                self._stirred.clear()
                await self._stirred.wait()
            await asyncio.sleep(_LOOK)
            is_calm = self._arrivals == seen and not self._live
            calm, seen = calm + 1 if is_calm else 0, self._arrivals
            if self._desk.gate.state != "open":
                continue
            is_overdue = time.monotonic() - self._oldest > _PATIENCE
            for model, queue in self._waiting.items():
                if queue and (calm >= _LOOKS or is_overdue or len(queue) >= self._most(model, queue)):
                    self._send(model, queue)
            if calm >= _LOOKS and self._open and all(one.is_pending for one in self._open.values()):
                self._desk.budget.stop_clock()  # nothing works but the provider
                if self._batching.leaves and not any(self._waiting.values()):
                    self._leave()

    def _most(self, model: str, queue: Iterable[Call]) -> int:
        """The most calls of a batch of a model."""
        most = next(iter(queue)).api.limits.calls
        return min(most, self._desk.most.get(model, most))

    def _send(self, model: str, queue: dict[Call, None]) -> None:
        """Send the calls that wait for a model, in as many batches as its provider's limits want."""
        is_limited = model in self._desk.most  # the provider takes only so much at once
        if is_limited and any(one.model == model for one in self._open.values()):
            return
        while queue:
            token = uuid4().hex[:16]
            chosen, lines = self._chosen(token, queue, self._most(model, queue))
            for call in chosen:
                del queue[call]
            if chosen:
                batch = Batch(
                    token=token,
                    model=model,
                    api=chosen[0].api,
                    price=chosen[0].price,
                    calls=tuple(BatchedCall(one.key, one.digest) for one in chosen),
                    desk=self._desk,
                    over=self._end,
                    waiting=dict(enumerate(chosen)),
                    lines=lines,
                )
                self._start(batch)
            if is_limited:
                return

    def _chosen(self, token: str, queue: dict[Call, None], most: int) -> tuple[list[Call], list[bytes]]:
        """The first calls of a queue that fit into a batch, with their lines; one without a line ends."""
        chosen: list[Call] = []
        lines: list[bytes] = []
        size = _FRAME
        for call in list(islice(queue, most)):
            try:
                line = call.api.line(f"{token}-{len(lines)}", self._prepare(call.sent))
            except ModelError as error:
                del queue[call]
                call.outcome = error
                self._desk.settle([call])
                continue
            size += len(line) + 1
            if lines and size > call.api.limits.size:
                break
            chosen.append(call)
            lines.append(line)
        return chosen, lines

    def _leave(self) -> None:
        """End the run: everything that is left to do waits for a provider."""
        batches = list(self._open.values())
        text = ngettext(
            "Waiting for {n:,} batch with {calls:,} calls in all.",
            "Waiting for {n:,} batches with {calls:,} calls in all.",
            len(batches),
            calls=sum(len(one.calls) for one in batches),
        )
        if latest := max(one.expires for one in batches):
            now = datetime.now().astimezone()
            when = moment(datetime.fromtimestamp(latest).astimezone(), now)
            text = join(text, _("The last one ends by {when}.", when=when))
        self._desk.gate.halt("waiting", text)

    def _begin_work(self) -> None:
        if self._desk.gate.state == "open":
            self._desk.budget.start_clock()

    def _follow(self, state: GateState, _cause: str) -> None:
        """Let everyone who waits go when the run ends."""
        if state != "halting":
            return
        for queue in self._waiting.values():
            for call in queue:
                call.answer()
            queue.clear()
        for batch in self._open.values():
            for call in batch.waiting.values():
                if call.is_wanted:
                    call.answer()

    def _tell_once(self, model: str, text: str) -> None:
        if (model, text) not in self._told:
            self._told.add((model, text))
            self._desk.emit(Noticed(text=text, level="warning"))
