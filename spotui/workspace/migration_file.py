"""migration.json: how a template's prompt does on new models, against the answers of the old one."""

import re
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import msgspec

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.errors import SpotuiError
from spotui.domain.records import Moment, now
from spotui.settings.table import BudgetSettings
from spotui.workspace.answer_archive import AnswerArchive
from spotui.workspace.projects import Workspace, folders_in
from spotui.workspace.record_folder import Record, RecordFolder

VERSION: Final = 1
_FILE: Final = "migration.json"
_LONGEST: Final = 60
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")

PromptKind = Literal["same", "new"]
Finding = Literal["better", "no_loss", "unclear", "worse", "unmeasured"]
Reason = Literal["better", "no_loss", "unclear", "worse", "dearer", "unmeasured"]


class MigrationError(SpotuiError):
    """A migration that cannot be read or continued."""


class Incumbent(msgspec.Struct, frozen=True, kw_only=True):
    """The old model with the prompt in use.

    Attributes:
        model: Its id.
        answers: How many questions it has answered.
        score: Its mean mark, 0..1; None where answers are compared by a judge.
        interval: Its 95% interval.
        cost: What an answer costs and how long it takes; None without any answer.
    """

    model: str
    answers: int
    score: float | None = None
    interval: tuple[float, float] | None = None
    cost: AnswerCost | None = None


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt on a new model, against the archived answers of the old one.

    Attributes:
        model: The new model.
        kind: Whether the prompt is the one in use, or a new one.
        prompt: The prompt.
        rows: How many questions or rows were compared.
        score: The mean mark; by duels the win rate, a tie half a win. 0..1.
        interval: Its 95% interval.
        difference: The score less the old model's on the same rows; by duels the win rate less a half.
        difference_interval: Its 95% interval, which decides.
        floor: The A/A floor of the difference.
        won: Rows that the new model does better.
        lost: Rows that it does worse, those without an answer included.
        unanswered: Rows that it gave no answer to.
        left_out: Rows that could not be compared, e.g. because the old model has no answer.
        finding: What the interval says, given the margin.
        cost: What an answer costs and how long it takes; None without any answer.
    """

    model: str
    kind: PromptKind
    prompt: str
    rows: int
    score: float
    interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]
    floor: float
    won: int
    lost: int
    unanswered: int = 0
    left_out: int = 0
    finding: Finding
    cost: AnswerCost | None = None

    @property
    def is_safe(self) -> bool:
        """Whether it shows no loss, given the margin."""
        return self.finding in ("better", "no_loss")


class Optimized(msgspec.Struct, frozen=True, kw_only=True):
    """The run that looked for a new prompt for a model.

    Attributes:
        model: The new model.
        project: Its project.
        improved: Whether it has found another prompt than the one in use.
        reason: Why it ended.
        rounds: How many ended.
        questions: How many of the compared questions its rounds ask; 0 for rows, which are unseen.
    """

    model: str
    project: str
    improved: bool
    reason: str
    rounds: int
    questions: int = 0


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What to do.

    Attributes:
        action: Stay with the old model, or move with the same prompt or the new one.
        model: Where to; for `stay`, the one that comes closest. Empty where none was measured.
        kind: With which prompt.
        reason: What the interval of that one says, or that it costs more and is no better.
    """

    action: Literal["stay", "same", "new"]
    model: str = ""
    kind: PromptKind = "same"
    reason: Reason


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What the migration has bought so far.

    Attributes:
        calls: Model calls.
        tokens: Prompt and completion.
        cost_usd: What they cost.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part is an estimate.
    """

    calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False


class MigrationRecord(Record, frozen=True, kw_only=True):
    """A migration.

    Attributes:
        template: What the template is called.
        prompt: The prompt in use.
        old: The old model.
        models: The new models.
        by: Whether answers are marked row by row, or compared with the old ones by a judge.
        margin: How much worse a new model may be and still count as no loss, 0..1.
        created: When it began; what was bought before that is no part of it.
        budget: What all of it may cost.
        seconds: How long it was worked on.
        incumbent: The old model's figures, once its answers are there.
        tried: What was measured so far.
        runs: The runs that looked for new prompts.
        left_out: Models that no new prompt was looked for, as the same one shows no loss.
        spent: What it has cost.
        advice: What to do; None while it is not finished.
    """

    version: int = VERSION
    template: str
    prompt: str
    old: str
    models: tuple[str, ...]
    by: Literal["rows", "duels"]
    margin: float
    created: Moment = msgspec.field(default_factory=now)
    budget: BudgetSettings = BudgetSettings()
    seconds: float = 0.0
    incumbent: Incumbent | None = None
    tried: tuple[Tried, ...] = ()
    runs: tuple[Optimized, ...] = ()
    left_out: tuple[str, ...] = ()
    spent: Spent = Spent()
    advice: Advice | None = None

    def tried_with(self, model: str, kind: PromptKind) -> Tried | None:
        """What was measured of a prompt on a model, or None."""
        return next((one for one in self.tried if (one.model, one.kind) == (model, kind)), None)


class MigrationFolder(RecordFolder[MigrationRecord]):
    """Where a migration is kept; see `RecordFolder`."""

    file = _FILE
    lock_name = "migration"
    record = MigrationRecord
    newest = VERSION
    error = MigrationError

    def measured(self, model: str, kind: PromptKind) -> Path:
        """Where the answers of a new model are kept, and what was said of them."""
        return self.folder / f"{file_name(model)}-{kind}"


def file_name(model: str) -> str:
    """A model id as the name of a folder; two ids never share one."""
    plain = _UNSAFE.sub("-", model).strip("-.")[:_LONGEST] or "model"
    return plain if plain == model else f"{plain}-{blake2b(model.encode(), digest_size=3).hexdigest()}"


def archive_of(workspace: Workspace, kept_as: str, model: str) -> AnswerArchive:
    """The archive of a model's answers to a template; every migration of the template shares it."""
    return AnswerArchive(workspace.measured(kept_as) / f"archive-{file_name(model)}", model)


def migration_names(workspace: Workspace) -> list[str]:
    """Every migration of a workspace, the last changed last."""
    found: list[tuple[int, str]] = []
    for folder in folders_in(workspace.measured("x").parent):
        with suppress(OSError):
            found.append(((folder / _FILE).lstat().st_mtime_ns, folder.name))
    return [name for _, name in sorted(found)]
