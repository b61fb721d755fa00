"""One batch: handed in once, looked at until it is over, and its replies kept."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.domain.events import BatchChanged, BatchProgress, Event, Noticed
from spotui.domain.records import BatchedCall, BatchLine, BatchState, CallKey
from spotui.lang import _
from spotui.llm.accounts import Accounts
from spotui.llm.batches.api import (
    BatchApi,
    ForgottenBatchError,
    Payload,
    Progress,
    Submitted,
    UncertainError,
)
from spotui.llm.batches.known import KnownBatches, Spot
from spotui.llm.budget import Budget, UnknownPriceError
from spotui.llm.limits import Gate, Halted
from spotui.llm.protocol import ModelError, RateLimitedError, RetryableError, UnavailableError
from spotui.llm.retry import AskAgainError, Retry
from spotui.llm.routing import Price
from spotui.llm.spending import Reservation
from spotui.workspace.journal_reader import JournalError

FIRST_LOOK: Final = 0.5
LONGEST_LOOK: Final = 60.0
_GROWTH: Final = 1.4
"""Seconds between two looks at a batch: the wait grows, as most batches take minutes or hours."""

SETTLING: Final = 10.0
"""Seconds in which a batch that was perhaps handed in may still appear in the provider's list."""

MOST_SUBMISSIONS: Final = 5
"""Batches that a call may be in without being answered."""

_STEPS: Final = 10
_LONGEST_SILENCE: Final = 600.0
"""Seconds after which the progress of a batch is reported though it has hardly changed."""

_TURN: Final = 200

Result = TypeVar("Result")


@dataclass(eq=False, kw_only=True)
class Call:
    """A call that waits for a batch, or for what comes of it.

    Attributes:
        key: What asks.
        request: What is asked.
        digest: The hash of that.
        api: Its model's batches.
        price: In a batch, or None when it is unknown.
        reservation: The room kept for it.
        reply: What came of it; None when the run ends first.
        is_wanted: Whether anyone still waits for it.
        submissions: Batches that it was in.
        outcome: The reply, or why there is none; None while there is neither.
    """

    key: CallKey
    request: Request
    digest: str
    api: BatchApi
    price: Price | None
    reservation: Reservation
    reply: "asyncio.Future[Reply | None]"
    is_wanted: bool = True
    submissions: int = 0
    outcome: Reply | SpotuiError | AskAgainError | None = None

    @property
    def is_waited_for(self) -> bool:
        """Whether whoever asked is still to be answered."""
        return self.is_wanted and not self.reply.done()

    @property
    def sent(self) -> Request:
        """The request with a reply as long as the budget allows."""
        ceiling = self.reservation.ceiling
        if ceiling is None:
            return self.request
        return msgspec.structs.replace(self.request, max_tokens=ceiling)

    def answer(self) -> None:
        """Hand the outcome to whoever waits for it."""
        if self.reply.done():
            return
        match self.outcome:
            case Reply() as reply:
                self.reply.set_result(reply)
            case None:
                self.reply.set_result(None)
            case error:
                self.reply.set_exception(error)


class Unclaimed(NamedTuple):
    """A result that came before anyone asked for it.

    Attributes:
        spot: Where its call is.
        payload: The result.
        seconds: From handing its batch in until it came.
        batch: That batch.
    """

    spot: Spot
    payload: Payload
    seconds: float
    batch: "Batch"


@dataclass(kw_only=True)
class Desk:
    """What all batches of a run are worked on with.

    Attributes:
        accounts: Keep replies, and count them.
        budget: What may be spent.
        gate: Whether anything may be sent.
        retry: When something that failed is tried again.
        known: What the journal says of batches.
        emit: Told what happens.
        trouble: Pauses the run, or ends it, when something failed for good; returns when it is resumed.
        finished: Told of a reply that nobody waits for any more.
        again: Takes back calls that were not answered.
        unclaimed: Results that were not asked for yet.
        most: The most calls of a batch, by model, where its provider has refused more.
    """

    accounts: Accounts
    budget: Budget
    gate: Gate
    retry: Retry
    known: KnownBatches
    emit: Callable[[Event], None]
    trouble: Callable[[SpotuiError], Awaitable[None]]
    finished: Callable[[CallKey, Request, Reply], None]
    again: Callable[[Sequence[Call]], None]
    unclaimed: dict[CallKey, Unclaimed] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    async def take(self, call: Call, payload: Payload, seconds: float) -> None:
        """Read a result, and keep the reply in it.

        Raises:
            JournalError: It cannot be kept, and nobody is waited for.
        """
        try:
            reply = call.api.read(call.sent, payload, seconds)
            if reply is None:
                return
            call.outcome = await self.accounts.take(
                call.key, call.request, reply, call.reservation, call.price
            )
        except RetryableError:
            return
        except (ModelError, UnknownPriceError, AskAgainError) as error:
            call.outcome = error
        self.known.spots.pop(call.key, None)

    def settle(self, calls: Sequence[Call]) -> None:
        """Answer those who wait, and send again what was not answered."""
        again = []
        for call in calls:
            if call.outcome is None and call.is_waited_for:
                call.submissions += 1
                if call.submissions < MOST_SUBMISSIONS:
                    again.append(call)
                    continue
                call.outcome = UnavailableError(
                    _(
                        "{model} did not answer a call in {times} batches.",
                        model=call.request.model,
                        times=call.submissions,
                    ),
                    _("Try again later, or send the calls live: spotui resume NAME --live"),
                )
            self.budget.release(call.reservation)
            if call.is_wanted:
                call.answer()
            elif isinstance(call.outcome, Reply):
                self.finished(call.key, call.request, call.outcome)
        self.again(again)

    def close(self, token: str, state: BatchState) -> None:
        """Note that nothing more will come of a batch; a disk that does not take the note does no harm."""
        with contextlib.suppress(JournalError):
            self.accounts.note(BatchLine(token=token, state=state))
        self.known.close(token)

    def close_if_claimed(self, token: str) -> None:
        """Close a batch that is over, unless it has results that were not asked for yet."""
        if not any(one.spot.token == token for one in self.unclaimed.values()):
            self.close(token, "collected")


@dataclass(eq=False, kw_only=True)
class Batch:
    """A batch of one model.

    Attributes:
        token: Our name of it.
        model: The model's id.
        api: The model's batches.
        price: Of its calls, or None when it is unknown.
        calls: All of its calls.
        waiting: Those that were asked for in this session, by number.
        lines: Its requests, until they are handed in; none where an earlier session handed them in.
        since: When it was about to be handed in, in seconds since 1970.
        id: The provider's name of it; empty until that is known.
        expires: When the provider gives it up at the latest, in seconds since 1970.
        is_uncertain: Whether it may have been handed in without an answer.
        is_pending: Whether the provider has it and was seen to work on it.
        over: Told when it needs no more work.
        asked: When it was handed in last, or may have been, in seconds since 1970.
    """

    token: str
    model: str
    api: BatchApi
    price: Price | None
    calls: tuple[BatchedCall, ...]
    desk: Desk
    over: Callable[["Batch"], None]
    waiting: dict[int, Call] = field(default_factory=dict)
    lines: Sequence[bytes] = ()
    since: float = field(default_factory=time.time)
    id: str = ""
    expires: float = 0.0
    is_uncertain: bool = False
    is_pending: bool = False
    asked: float = field(default_factory=time.time)
    _told: tuple[int, float] = (-1, 0.0)

    async def carry(self) -> None:
        """Work on it until its replies are kept, or the run ends."""
        try:
            if self.id or await self._is_handed_in():
                await self._insist(self._bring_home)
        except Halted:
            pass
        except Exception as error:
            for call in self.waiting.values():
                if not call.reply.done():
                    call.reply.set_exception(error)
            raise
        finally:
            self.over(self)

    async def _insist(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Do a step; when it fails for good, the run pauses or ends as it does for a call."""
        while True:
            try:
                return await step()
            except (ModelError, JournalError) as error:
                self.is_pending = False
                await self.desk.trouble(error)

    async def _is_handed_in(self) -> bool:
        """Hand it in, unless it was; False when it never was and its calls wait for another one."""
        if self.lines:
            await self._insist(self._intend)
        submitted = await self._insist(self._hand_in)
        if submitted is None:
            self.desk.close(self.token, "given_up")
            self._send_again()
            return False
        self.id, self.expires = submitted
        self.lines = ()
        await self._insist(self._note_submission)
        self._tell("submitted", Progress(is_over=False))
        return True

    async def _intend(self) -> None:
        line = BatchLine(token=self.token, state="intended", model=self.model, calls=self.calls)
        self.desk.accounts.note(line)
        self.desk.known.take(line)

    async def _note_submission(self) -> None:
        line = BatchLine(token=self.token, state="submitted", id=self.id, expires=self.expires)
        self.desk.accounts.note(line)
        self.desk.known.take(line)

    async def _hand_in(self) -> Submitted | None:
        return await self.desk.retry.run(
            lambda _ticket: self._submit(),
            ready=contextlib.nullcontext,
            sleep=self.desk.gate.sleep,
            on_retry=lambda error, _tries, _wait: self.desk.emit(Noticed(text=error.what, level="warning")),
        )

    async def _submit(self) -> Submitted | None:
        """Hand it in, once: after an answer that did not come, it is looked for first."""
        if self.is_uncertain:
            found = await self._found()
            if found is not None or not self.lines:
                return found
            self.is_uncertain = False
        await self.desk.gate.passage()
        self.asked = time.time()
        try:
            return await self.api.submit(self.token, self.lines)
        except RateLimitedError:
            raise
        except (RetryableError, asyncio.CancelledError):
            self.is_uncertain = True
            raise

    async def _found(self) -> Submitted | None:
        """The batch in the provider's list, which may take a moment to have it."""
        wait = FIRST_LOOK
        while True:
            others = self.desk.known.ids
            with contextlib.suppress(UncertainError):
                found = await self.api.find(self.token, len(self.calls), self.since, others)
                if found is not None or time.time() - self.asked > SETTLING:
                    return found
            await asyncio.sleep(wait)
            wait = min(LONGEST_LOOK, wait * _GROWTH)

    async def _bring_home(self) -> None:
        progress = await self._until_over()
        if progress.error is None:
            await self._collect(progress)
            return
        self.desk.close(self.token, "given_up")
        if isinstance(progress.error, RateLimitedError):
            self.desk.emit(Noticed(text=str(progress.error), level="warning"))
            self.desk.most[self.model] = max(1, len(self.calls) // 2)
        else:
            await self.desk.trouble(progress.error)
        self._send_again()

    async def _until_over(self) -> Progress:
        wait, is_told = FIRST_LOOK, False
        while True:
            try:
                progress = await self.api.look(self.id)
            except RetryableError as error:
                if not is_told:
                    self.desk.emit(Noticed(text=error.what, level="warning"))
                is_told = True
            except ForgottenBatchError as error:
                raise ForgottenBatchError(
                    _("The batch {id} is not there any more: {error}", id=self.id, error=error.what),
                    _(
                        "If another key is set than the one that it was submitted with, set that one and "
                        "resume. If its {calls:,} replies are lost, have its calls sent again: "
                        "spotui wait NAME --give-up {id}",
                        calls=len(self.calls),
                        id=self.id,
                    ),
                ) from None
            else:
                is_told = False
                if progress.is_over:
                    return progress
                self.is_pending = True
                self._tell("waiting", progress)
            await asyncio.sleep(wait)
            wait = min(LONGEST_LOOK, wait * _GROWTH)

    async def _collect(self, progress: Progress) -> None:
        """Keep every reply before anyone continues with one: which came first must change nothing."""
        self.is_pending = False
        desk, seconds, read = self.desk, time.time() - self.since, 0
        desk.budget.start_clock()
        prefix = f"{self.token}-"
        async for name, payload in self.api.results(self.id, progress):
            number = _number(name.removeprefix(prefix)) if name.startswith(prefix) else -1
            if not 0 <= number < len(self.calls):
                continue
            read += 1
            if read % _TURN == 0:
                await asyncio.sleep(0)
            key = self.calls[number].key
            if (call := self.waiting.get(number)) is not None:
                if call.outcome is None:
                    await desk.take(call, payload, seconds)
            elif (spot := desk.known.spots.get(key)) is not None and spot[1:] == (self.token, number):
                desk.unclaimed[key] = Unclaimed(spot, payload, seconds, self)
        calls = list(self.waiting.values())
        again = sum(one.outcome is None and one.is_waited_for for one in calls)
        desk.close_if_claimed(self.token)
        self._tell("collected", progress._replace(is_over=True), again=again)
        desk.settle(calls)

    def _send_again(self) -> None:
        calls = list(self.waiting.values())
        self.desk.again([one for one in calls if one.is_waited_for])
        for one in calls:
            if not one.is_waited_for:
                self.desk.budget.release(one.reservation)

    def _tell(self, state: BatchProgress, progress: Progress, again: int = 0) -> None:
        calls, now = len(self.calls), time.time()
        step, told_at = self._told
        reached = _STEPS * progress.done // max(1, calls)
        if state == "waiting" and reached == step and now - told_at < _LONGEST_SILENCE:
            return
        self._told = reached, now
        expected = self.expires or None
        if progress.done and state == "waiting":
            expected = now + (now - self.since) * (calls - progress.done) / progress.done
            expected = min(expected, self.expires or expected)
        self.desk.emit(
            BatchChanged(
                batch=self.token,
                id=self.id,
                model=self.model,
                state=state,
                calls=calls,
                done=progress.done,
                failed=progress.failed,
                again=again,
                expected=None if state == "collected" else expected,
            )
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1
