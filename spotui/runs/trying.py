"""Prompts tried on a question of the moment: by the run's executor, through the same door, kept nowhere."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from spotui.domain.calls import Reply, Usage
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Answered, CallDropped, Event, SpendingChanged
from spotui.domain.records import CallKey, CallLine, Line
from spotui.domain.rows import Row
from spotui.engine.asking import Asker, together
from spotui.engine.layout import Layout
from spotui.lang import _
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.door import Door
from spotui.llm.limits import Gate, Halted
from spotui.llm.protocol import RequestRefusedError, hint_for_missing, lacks_answer, why_missing
from spotui.llm.retry import Retry
from spotui.runs.prepare import Prepared
from spotui.settings.table import RunSettings

PURPOSE = "try"
"""What the calls are filed under in their events."""


class TryError(SpotuiError):
    """A question got no answer."""


class _NoLedger:
    """Keeps nothing: every question is asked anew."""

    def holds(self, key: CallKey) -> bool:  # noqa: ARG002 - the door's protocol
        return False

    def call(self, key: CallKey, digest: str) -> CallLine | None:  # noqa: ARG002 - the door's protocol
        return None

    def append(self, line: Line) -> None:
        pass

    async def settled(self) -> None:
        """Nothing is kept."""

    def check_room(self) -> None:
        pass


async def try_prompts(
    prompts: Mapping[int, str],
    question: str,
    settings: RunSettings,
    connections: Connections,
    emit: Callable[[Event], None],
    run: Prepared | None = None,
) -> dict[int, Reply]:
    """Ask the executor the same question with each of several prompts in front, all at once.

    Args:
        prompts: By round.
        question: What is asked.
        settings: Of the run; its budget holds for this question as if it were a separate run.
        connections: The models; they are closed at the end.
        emit: Told what happens, every piece of every reply included.
        run: What the prompts are of; None for prompts of another tool.

    Returns:
        The replies, by round.

    Raises:
        TryError: A call failed for good, does not fit the budget, or brought no answer.
    """
    budget = Budget(settings.budget)
    door = Door(
        connections=connections,
        ledger=_NoLedger(),
        budget=budget,
        gate=Gate(),
        retry=Retry(settings.retry),
        emit=emit,
        on_trouble="halt",
    )
    door.streams = True
    layout = Layout() if run is None else run.layout
    asker = Asker(door, settings.roles) if run is None else replace(run, settings=settings).asker(door)

    async def ask(number: int, prompt: str) -> Reply:
        given = asker.given(prompt, Row(question))
        request = asker.request("executor", layout.messages(prompt, Row(question)), given=given)
        key = CallKey(number, PURPOSE)
        try:
            reply = await asker.ask(key, request, may_be_refused=True)
        except RequestRefusedError as error:
            return Reply("", "other", Usage(0, 0), seconds=0.0, rejected=error.what)
        if lacks_answer(reply):
            emit(CallDropped(key=key, why=why_missing(reply), failed=True))
        else:
            emit(Answered(round=number, index=0, question=question, answer=reply.answer))
        return reply

    try:
        async with door.keeping_time():
            replies = await together([ask(number, prompt) for number, prompt in prompts.items()])
    except Halted as halt:
        raise TryError(halt.cause) from None
    finally:
        emit(spending_of(budget))
        await connections.aclose()
    found = dict(zip(prompts, replies, strict=True))
    missing = [number for number, reply in found.items() if lacks_answer(reply)]
    if len(missing) > 1:
        rounds = ", ".join(map(str, missing))
        raise TryError(
            _("The prompts of rounds {rounds} got no answer.", rounds=rounds),
            hint_for_missing(found[missing[0]]),
        )
    if missing:
        raise TryError(why_missing(found[missing[0]]), hint_for_missing(found[missing[0]]))
    return found


def spending_of(budget: Budget) -> SpendingChanged:
    """What was spent of a budget, as an event."""
    spent = budget.spending
    return SpendingChanged(
        calls=spent.calls,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
        seconds=budget.seconds,
    )
