"""Runs of the real engine and the real methods in a world, in memory: no model, no network, no file.

Only the way to the models is another: a call is answered by the world, once for each key, as the journal
would have it. So calls are counted as a run would buy them.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec

from benchmarks.landscape.world import Models, World
from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.records import CallKey, RoundLine
from spotui.domain.rows import Row
from spotui.engine.asking import Asker, Embedder
from spotui.engine.context import Context, Decisions
from spotui.engine.engine import EARLY_ENDS, Engine, Grant
from spotui.engine.execute import Executor
from spotui.engine.layout import Layout
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.propose import Proposer
from spotui.engine.round import Verbs
from spotui.engine.score import Scorer
from spotui.engine.stopping import Stopping
from spotui.engine.task import Question, RowOutcome, Splits, Task
from spotui.llm.door import Door
from spotui.llm.limits import Gate, Halted
from spotui.methods.method import Method
from spotui.runs.verbs import make_judge
from spotui.settings.table import Role, RoleSet, RoleSettings, RunSettings

TRAIN, EVAL = 48, 48
"""Rows of a run: with GPO's defaults they are 18 steps."""

QUESTIONS = 10
"""Questions of a run that compares answers: nobody marks them, the judge reads them."""


class Point(NamedTuple):
    """What is known after so many calls.

    Attributes:
        calls: How many were made.
        value: The true score of the best prompt so far.
    """

    calls: int
    value: float


class WorldAsker(Asker):
    """Asks the world.

    Args:
        models: What answers.
        roles: Settings of the roles; they change nothing.
        most: Calls after which the run ends.
    """

    def __init__(self, models: Models, roles: RoleSet, most: int) -> None:
        super().__init__(cast("Door", None), roles)
        self._models = models
        self._most = most
        self._replies: dict[CallKey, Reply] = {}

    @property
    def calls(self) -> int:
        """How many were made."""
        return len(self._replies)

    @property
    def worked(self) -> float:
        """No time passes."""
        return 0.0

    def takes_grammar(self, role: Role) -> bool:  # noqa: ARG002
        """No role does."""
        return False

    def at_once(self, roles: Sequence[Role]) -> int:  # noqa: ARG002
        """One after another: an answer takes no time."""
        return 1

    def holds(self, keys: object) -> bool:  # noqa: ARG002
        """There is no journal."""
        return False

    def recorded(self, key: CallKey, request: Request) -> Reply | None:  # noqa: ARG002
        """What was answered before."""
        return self._replies.get(key)

    @property
    def made(self) -> int:
        """Calls that were made."""
        return self.calls

    async def ask(
        self,
        key: CallKey,
        request: Request,
        role: Role | None = None,  # noqa: ARG002
        *,
        may_be_refused: bool = False,  # noqa: ARG002
        advice: str = "",  # noqa: ARG002
    ) -> Reply:
        """The world's reply; the same key is answered once."""
        if (known := self._replies.get(key)) is not None:
            return known
        if self.calls >= self._most:
            raise Halted("budget", "All calls are made.")
        text = "\n\n".join(str(one.content) for one in request.messages)
        reply = Reply(self._models.reply(text, key), "stop", Usage(1, 1), 0.0)
        self._replies[key] = reply
        return reply


class WorldMarker:
    """Marks an answer by the reference."""

    asks: tuple[Role, ...] = ()
    reads_conversation = False

    async def mark(self, key: CallKey, position: int, row: Row, answer: str) -> RowOutcome:  # noqa: ARG002
        """1 for the reference, else 0."""
        return RowOutcome(position, answer, float(answer in row.references))

    def close(self) -> None:
        """Nothing: it holds nothing."""


def run(
    world: World,
    method: Method,
    parameters: dict[str, Any],
    settings: dict[str, Any],
    *,
    calls: int,
    quality: float,
    is_granted: bool = False,
) -> list[Point]:
    """How a method's best prompt rises in a world.

    Args:
        world: The world.
        method: The method.
        parameters: Its parameters, as far as they are not its defaults.
        settings: Settings of the run, as far as they are not the defaults.
        calls: How many it may make.
        quality: Of the optimizer, as `Models` has it.
        is_granted: Whether the run has a budget of these calls, so that it may spend what racing saves.

    Returns:
        A point for the seed and one for each round that ended.
    """
    return asyncio.run(_run(world, method, parameters, settings, calls, quality, is_granted=is_granted))


async def _run(
    world: World,
    method: Method,
    parameters: dict[str, Any],
    settings: dict[str, Any],
    calls: int,
    quality: float,
    *,
    is_granted: bool,
) -> list[Point]:
    role = RoleSettings(model="world", temperature=0.0, max_tokens=None, timeout=60.0)
    run_settings = RunSettings(roles=RoleSet(optimizer=role, evaluator=role, executor=role), **settings)
    asker = WorldAsker(Models(world, quality=quality), run_settings.roles, calls)
    given = msgspec.convert({**method.defaults, **parameters}, method.parameters)
    rows = world.dataset(TRAIN, EVAL)
    task = Task(
        prompt=world.seed_prompt,
        requirements="The colour of the row, and it is right.",
        questions=tuple(Question(one.question, row=one) for one in rows.train[:QUESTIONS]),
        reference_answers=False,
        rows=rows,
        seed=world.number,
        slots=frozenset(),
    )
    context = Context(
        task,
        MetaPrompts(declared=method.meta_prompts),
        asker,
        Gate(),
        Decisions(),
        lambda _: None,
        declared=method.declared,
    )
    scorer = Scorer(context, WorldMarker(), Layout(), Splits(rows), task.seed, run_settings.racing)
    verbs = Verbs(
        context,
        Proposer(context),
        Executor(context),
        make_judge(context, run_settings),
        Embedder(asker, context.emit),
        scorer if method.scores else None,
    )
    points = [Point(0, world.value(world.seed_prompt))]

    def record(line: RoundLine) -> RoundLine:
        points.append(Point(asker.calls, world.value(engine.best_candidate.prompt)))
        return line

    rounds = method.rounds(given, TRAIN) if method.rounds else 10_000
    engine = Engine(
        verbs,
        rounds=rounds,
        stopping=Stopping(),
        recorded={},
        record=record,
        grant=Grant(calls, rounds) if is_granted else None,
    )
    try:
        await method.optimize(engine, given)
    except Halted as halt:
        if halt.reason not in {"budget", *EARLY_ENDS}:
            raise
    return points
