"""A migration: the old model's answers once, then the same prompt and a new one on each new model.

Everything that is bought is in a journal: the archive's, that of a model and a prompt, and the projects'. So
a migration that was killed begins again, finds all of it, and continues where it was.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from spotui.domain.answer_cost import AnswerCost, cost_of
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.records import AS_PLANNED, CallKey, CallLine
from spotui.domain.statistics import score
from spotui.domain.verdicts import Choice
from spotui.engine.asking import together
from spotui.engine.context import Context
from spotui.engine.marking import Marker
from spotui.lang import _, ngettext
from spotui.llm.connections import Connections
from spotui.llm.limits import Halted
from spotui.runs.migrate.answers import Asked, ask_all, trial_of, with_archived
from spotui.runs.migrate.budget import JOURNAL, MigrationBudget, raised_by, share_of
from spotui.runs.migrate.plan import MigrationPlan, amounts_of
from spotui.runs.migrate.verdict import Measured, advise, by_duels, by_rows, finding_of
from spotui.runs.prepare import Prepared
from spotui.runs.race import difference
from spotui.runs.score import open_context
from spotui.runs.snapshots import reopen
from spotui.runs.trust import refuse_outside_data
from spotui.runs.verbs import make_judge
from spotui.templates.model import TemplateError
from spotui.templates.sections import judged_on
from spotui.workspace.answer_archive import Answer, AnswerArchive
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.migration_file import (
    Incumbent,
    MigrationError,
    MigrationFolder,
    MigrationRecord,
    Optimized,
    PromptKind,
    Tried,
    file_name,
)
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.domain.events import RunStopped
    from spotui.runs.launch import Launcher
    from spotui.runs.run import Run

_SAME, _NEW = 1, 2
"""What the votes on the prompt in use and on a new one are filed under."""

_ENDS: Final = frozenset({*AS_PLANNED, "budget"})
Serve = Callable[["Run"], Awaitable["RunStopped"]]


class Listener(Protocol):
    """Whoever watches a migration."""

    def note(self, text: str) -> None:
        """What happens next, in a sentence."""
        ...

    def event(self, who: str, event: Event) -> None:
        """What happens in a run or a measurement, and of which model."""
        ...

    def measured(self, tried: Tried) -> None:
        """What a prompt has shown."""
        ...


class _Old(msgspec.Struct, frozen=True):
    """The old model's answers, and their marks where answers are marked."""

    answers: list[Answer]
    marks: list[float | None]


class Migration:
    """A migration.

    Args:
        plan: What was asked for.
        folder: Where it is kept; the caller holds its lock.
        record: What is written down of it, with the budget of all.
        archive: The old model's answers.
        launcher: What runs are made with.
        serve: Works on a run to its end.
        listener: Told what happens.
        archived_only: Whether only questions with an archived answer are compared, and the old model is not
            asked.
        always: Whether a new prompt is looked for, too, where the same one shows no loss.
        grown: Whether the budget is another one than the last time, so that runs may go on.
    """

    def __init__(
        self,
        plan: MigrationPlan,
        folder: MigrationFolder,
        record: MigrationRecord,
        archive: AnswerArchive,
        launcher: "Launcher",
        serve: Serve,
        listener: Listener,
        *,
        archived_only: bool,
        always: bool,
        grown: bool,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._record = record
        self._archive = archive
        self._launcher = launcher
        self._serve = serve
        self._listener = listener
        self._archived_only = archived_only
        self._always = always
        self._grown = grown
        self._began = time.monotonic()
        self._asked = plan.asked
        self._budget = MigrationBudget(folder, archive.folder)

    async def work(self) -> MigrationRecord:
        """Buy what is missing, measure, optimize, and say what to do.

        Raises:
            MigrationError: The old model's answers cannot be had, or a run began with something else.
            Halted: A call failed for good, a run was stopped, or the budget is spent; everything is kept.
            SpotuiError: Something cannot begin.
        """
        try:
            old = await self._old()
            prompt = self._plan.test.template.prompt
            same = [await self._tried(model, "same", prompt, old) for model in self._record.models]
            wanting = [one.model for one in same if self._always or not one.is_safe]
            self._note(left_out=tuple(one.model for one in same if one.model not in wanting))
            for number, model in enumerate(wanting, 1):
                await self._improve(model, old, later=len(wanting) - number)
            self._note(advice=advise(self._record))
        finally:
            self._note(seconds=self._seconds())
            self._began = time.monotonic()
        return self._record

    async def _improve(self, model: str, old: _Old, *, later: int) -> None:
        """Look for a new prompt for a model, and measure it.

        Args:
            model: The model.
            old: What it must not lose to.
            later: For how many models a prompt is looked for after this one.
        """
        project = await self._optimized(model, old, later=later)
        best = read_history(project).best if project is not None else None
        if best is not None and best.round > 1 and best.prompt != self._plan.test.template.prompt:
            await self._tried(model, "new", best.prompt, old)

    async def _old(self) -> _Old:
        """The old model's answers: those of the archive, and what is missing from the model itself."""
        plan, archived = self._plan, self._archive.read()
        missing = [one for one in plan.asked if one.id not in archived]
        have = len(plan.asked) - len(missing)
        self._listener.note(
            ngettext(
                "{model}: {have} of {n:,} answer is in the archive.",
                "{model}: {have} of {n:,} answers are in the archive.",
                len(plan.asked),
                model=plan.old,
                have=have,
            )
        )
        if missing and self._archived_only:
            if not have:
                raise self._without(have, _("the archive is empty"))
            self._asked, missing = [one for one in plan.asked if one.id in archived], []
        settings = plan.test.settings
        if not missing:  # the old model may be gone, and nothing of it is needed
            settings = settings.asking(*(role for role in settings.asked if role != "executor"))
        prepared = self._within(msgspec.structs.replace(plan.test, settings=settings))
        connections = self._connected(prepared, has=have) if missing else self._launcher.connections(settings)
        tell = self._tell(plan.old)
        async with open_context(prepared, self._archive.folder, connections, tell) as (context, _budget):
            marker = _marker_of(prepared, context, by_rows=plan.by == "rows")
            try:
                if missing:
                    await self._buy(context, missing, marker, have)
                known = self._archive.read()
                answers = [known[one.id].answer for one in self._asked]
                marks = await _marks(marker, self._asked, answers, unanswered=None) if marker else []
            finally:
                if marker is not None:
                    marker.close()
        scored = score(marks, seed=prepared.settings.seed)
        self._note(
            incumbent=Incumbent(
                model=plan.old,
                answers=sum(not one.error for one in answers),
                score=scored.mean if scored.rows else None,
                interval=(scored.interval.low, scored.interval.high) if scored.rows else None,
                cost=_cost(answers, prepared),
            )
        )
        return _Old(answers, marks)

    def _connected(self, prepared: Prepared, *, has: int) -> Connections:
        """The way to the old model.

        Raises:
            MigrationError: It leads nowhere, or a key is missing.
        """
        try:
            connections = self._launcher.connections(prepared.settings)
            connections.to(self._plan.old)
        except SpotuiError as error:
            raise self._without(has, str(error)) from None
        return connections

    async def _buy(
        self, context: Context, missing: Sequence[Asked], marker: Marker | None, have: int
    ) -> None:
        """Ask the old model, and archive each answer as it comes.

        Raises:
            MigrationError: The model cannot be asked.
            Halted: The budget is spent.
        """
        prompt = self._plan.test.template.prompt
        have_now = have

        def keep(question: Asked, answer: Answer) -> None:
            nonlocal have_now
            self._archive.add(prompt, question.row.asked, question.id, answer)
            have_now += 1

        try:
            await ask_all(
                context,
                prompt,
                missing,
                keep,
                by_rows=self._plan.by == "rows",
                whole=self._is_whole(marker),
            )
        except Halted as halt:
            if halt.reason != "failed":
                raise
            raise self._without(have_now, halt.cause) from None

    def _without(self, have: int, why: str) -> MigrationError:
        """The error that the old model cannot be asked, with its fix."""
        plan, wanted = self._plan, len(self._plan.asked)
        what = _(
            "{model} cannot be asked, and its archive has {have} of {wanted} answers: {why}",
            model=plan.old,
            have=have,
            wanted=wanted,
            why=why.rstrip("."),
        )
        if have and not self._archived_only:
            hint = _(
                "Make it reachable ('spotui models test {model}'), or add --archived-only to compare on "
                "those {have}.",
                model=plan.old,
                have=have,
            )
        else:
            hint = _(
                "Make it reachable ('spotui models test {model}'). If it is gone, measure the new models "
                "alone: spotui score TEMPLATE --exec-model {new}",
                model=plan.old,
                new=plan.models[0],
            )
        return MigrationError(_("{what}.", what=what), hint)

    async def _tried(self, model: str, kind: PromptKind, prompt: str, old: _Old) -> Tried:
        """Ask a new model everything with a prompt, and compare its answers with the old ones."""
        plan, prepared = self._plan, self._within(self._plan.measuring(model))
        refuse_outside_data(prepared.template, prepared.path.parent)
        wanted = {one.position for one in self._asked}
        asked = [one for one in plan.questions(prompt) if one.position in wanted]
        self._listener.note(
            _("{model}: asking {n:,} questions with the prompt in use.", model=model, n=len(asked))
            if kind == "same"
            else _("{model}: asking {n:,} questions with the new prompt.", model=model, n=len(asked))
        )
        folder = self._folder.measured(model, kind)
        connections = self._launcher.connections(prepared.settings)
        async with open_context(prepared, folder, connections, self._tell(model)) as (context, _budget):
            marker = _marker_of(prepared, context, by_rows=plan.by == "rows")
            try:
                answers = await ask_all(
                    context, prompt, asked, by_rows=plan.by == "rows", whole=self._is_whole(marker)
                )
                if marker is not None:
                    marks = await _marks(marker, asked, answers, unanswered=0.0)
                    found = by_rows(old.marks, marks, seed=prepared.settings.seed)
                else:
                    number = _SAME if kind == "same" else _NEW
                    found = by_duels(await self._judged(context, prepared, asked, old, answers, number))
            finally:
                if marker is not None:
                    marker.close()
        tried = self._as_tried(model, kind, prompt, found, old, answers, prepared)
        others = [one for one in self._record.tried if (one.model, one.kind) != (model, kind)]
        self._note(tried=(*others, tried))
        self._listener.measured(tried)
        return tried

    def _as_tried(
        self,
        model: str,
        kind: PromptKind,
        prompt: str,
        measured: Measured,
        old: _Old,
        answers: Sequence[Answer],
        prepared: Prepared,
    ) -> Tried:
        compared = measured.comparison
        return Tried(
            model=model,
            kind=kind,
            prompt=prompt,
            rows=compared.wins + compared.losses + compared.ties,
            score=measured.score,
            interval=(measured.interval.low, measured.interval.high),
            difference=compared.difference,
            difference_interval=(compared.interval.low, compared.interval.high),
            floor=compared.floor,
            won=compared.wins,
            lost=compared.losses,
            unanswered=sum(
                bool(new.error and not before.error) for before, new in zip(old.answers, answers, strict=True)
            ),
            left_out=compared.left_out,
            finding=finding_of(compared, self._record.margin),
            cost=_cost(answers, prepared),
        )

    async def _judged(
        self,
        context: Context,
        prepared: Prepared,
        asked: Sequence[Asked],
        old: _Old,
        answers: Sequence[Answer],
        number: int,
    ) -> list[Choice]:
        """The verdict on every question, from the new model's side; without an answer it has lost."""
        pairs = list(zip(old.answers, answers, strict=True))
        both = [at for at, (before, new) in enumerate(pairs) if not (before.error or new.error)]
        choices: list[Choice] = ["void" if before.error else "loss" for before, _new in pairs]
        if not both:
            return choices
        sides = [
            trial_of(number, prepared.template.prompt, asked, some).at(both)
            for some in (old.answers, answers)
        ]
        rows = await make_judge(context, prepared.settings).compare_rows(*sides)
        for at, row in zip(both, rows, strict=True):
            choices[at] = row.choice
        return choices

    async def _optimized(self, model: str, old: _Old, *, later: int) -> Project | None:
        """The run that looks for a new prompt; None where the budget has no room for it."""
        prepared, project = self._goal(self._plan.run(model), old), self._folder.project(file_name(model))
        changes: dict[str, float | int | None] = {}
        if project.exists:
            before = reopen(project).settings.budget
            settings = msgspec.structs.replace(prepared.settings, budget=before)
            prepared = msgspec.structs.replace(prepared, settings=settings)
            if what := difference(project, prepared):
                raise MigrationError(
                    _(
                        "{project} was begun with {what}, so it cannot be part of this migration.",
                        project=project.name,
                        what=what,
                    ),
                    _("Repeat the command that began it, or begin another migration with --name."),
                )
        stop = read_history(project).stop if project.exists else None
        if stop is None or stop.reason not in _ENDS or (self._grown and stop.reason == "budget"):
            left = self._budget.left(self._record, self._seconds())
            share = share_of(left, amounts_of(self._plan.of_one_prompt(model)), runs=later + 1)
            if share is None:
                self._listener.note(
                    _("{model}: the budget has no room to look for a new prompt.", model=model)
                )
                return project if project.exists else None
            if not project.exists:
                settings = msgspec.structs.replace(prepared.settings, budget=share)
                prepared = msgspec.structs.replace(prepared, settings=settings)
                project = self._launcher.new_project(
                    self._folder.workspace, project.name, prepared, lines=self._seed_answers(model, prepared)
                )
            elif self._grown:
                changes = raised_by(share, project)
            await self._run(model, prepared, project, changes)
        history = read_history(project)
        assert history.stop is not None  # noqa: S101 - it has ended just now, or before
        run = Optimized(
            model=model,
            project=project.name,
            improved=history.best is not None and history.best.round > 1,
            reason=history.stop.reason,
            rounds=len(history.rounds),
            questions=0 if self._plan.by == "rows" else len(prepared.questions),
        )
        self._note(runs=(*(one for one in self._record.runs if one.model != model), run))
        return project

    async def _run(
        self,
        model: str,
        prepared: Prepared,
        project: Project,
        changes: Mapping[str, float | int | None],
    ) -> None:
        self._listener.note(
            _("{model}: looking for a new prompt with {method}.", model=model, method=prepared.name)
        )
        run = self._launcher.run(project, changes=changes)
        run.subscribe(self._tell(model))
        stopped = await self._serve(run)
        if stopped.reason not in _ENDS:
            raise Halted(stopped.reason, f"{model}: {stopped.cause}")

    def _seed_answers(self, model: str, prepared: Prepared) -> list[CallLine]:
        """What the model has answered with the prompt in use, as the first round of a run asks for it."""
        places = {position: place for place, position in enumerate(prepared.questions)}
        with Journal(self._folder.measured(model, "same") / JOURNAL) as journal:
            calls = [line for line in journal.lines() if isinstance(line, CallLine)]
        return [
            msgspec.structs.replace(
                line, key=msgspec.structs.replace(line.key, index=places[line.key.index]), worked=0.0
            )
            for line in calls
            if line.key.purpose == "execute" and line.key.index in places
        ]

    def _goal(self, prepared: Prepared, old: _Old) -> Prepared:
        """The run's template with the archived answers in view, where a judge compares answers."""
        if self._plan.by == "rows":
            return prepared
        archived = {
            one.position: answer.text
            for one, answer in zip(self._asked, old.answers, strict=True)
            if answer.text and not one.row.turns
        }
        try:
            return with_archived(prepared, archived)
        except TemplateError as error:
            self._listener.note(
                _("The archived answers cannot be shown to the optimizer: {error}", error=error.what)
            )
            return prepared

    def _within(self, prepared: Prepared) -> Prepared:
        """The same with what is left of the budget."""
        settings = msgspec.structs.replace(
            prepared.settings, budget=self._budget.left(self._record, self._seconds())
        )
        return msgspec.structs.replace(prepared, settings=settings)

    def _seconds(self) -> float:
        """How long the migration was worked on, earlier sessions included."""
        return self._record.seconds + time.monotonic() - self._began

    def _is_whole(self, marker: Marker | None) -> bool:
        if marker is not None:
            return marker.reads_conversation
        return (judged_on(self._plan.test.template) or "conversation") == "conversation"

    def _tell(self, who: str) -> Callable[[Event], None]:
        return lambda event: self._listener.event(who, event)

    def _note(self, **changes: object) -> None:
        """Write down what is known now."""
        self._record = msgspec.structs.replace(
            self._record, **changes, spent=self._budget.spent(self._record)
        )
        self._folder.write(self._record)


def _cost(answers: Sequence[Answer], prepared: Prepared) -> AnswerCost | None:
    """What an answer costs and how long it takes; calls of a batch say nothing of the time."""
    taken = [one.taken for one in answers if one.taken is not None and not one.error]
    return cost_of(taken, is_timed="executor" not in prepared.settings.batched)


def _marker_of(prepared: Prepared, context: Context, *, by_rows: bool) -> Marker | None:
    return prepared.marker()(context) if by_rows else None


async def _marks(
    marker: Marker, asked: Sequence[Asked], answers: Sequence[Answer], *, unanswered: float | None
) -> list[float | None]:
    """The marks of some answers.

    Args:
        marker: Marks them.
        asked: What was asked.
        answers: One each.
        unanswered: What a row without an answer counts.
    """

    async def mark(question: Asked, answer: Answer) -> float | None:
        if answer.error:
            return unanswered
        key = CallKey(1, "score_test", question.position)
        return (await marker.mark(key, question.position, question.row, answer.text)).mark

    return await together([mark(one, answer) for one, answer in zip(asked, answers, strict=True)])
