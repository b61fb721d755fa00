"""The settings of one run, resolved and free of secrets, so that they can be stored with it."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from spotui.settings.table import BY_KEY, ROLES, SETTINGS, KindError, Role, Unit, convert

ResolvedJudge = Literal["balanced", "thorough", "reference", "likelihood", "logprob"]


class RoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one role is asked.

    Attributes:
        model: The model id as the user wrote it.
        temperature: 0 to 2, or None for the endpoint's default.
        max_tokens: The longest reply wanted, in tokens, or None for the endpoint's default.
        timeout: Seconds without a token after which a call has timed out.
    """

    model: str
    temperature: float | None
    max_tokens: int | None
    timeout: float


class RoleSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three roles of a run."""

    optimizer: RoleSettings
    evaluator: RoleSettings
    executor: RoleSettings

    def of(self, role: Role) -> RoleSettings:
        """The settings of the role with this name."""
        return {"optimizer": self.optimizer, "evaluator": self.evaluator, "executor": self.executor}[role]


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the run may use at most, over all roles together; None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None
    minutes: float | None = None


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a failed call is tried again.

    Attributes:
        tries: Calls in all, the first one included, or None for no limit of that sort.
        seconds: From the first try, or None for no limit of that sort. Both None is no retry.
    """

    tries: int | None = 5
    seconds: float | None = 120.0

    @property
    def enabled(self) -> bool:
        """Whether a failed call is tried again at all."""
        return self.tries is not None or self.seconds is not None


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a run is told apart from its template.

    Attributes:
        roles: Models and how they are asked.
        max_rounds: Rounds in all, the seed round included.
        initial_round: The number of the first round.
        sample: Questions drawn for a round.
        seed: What the run draws its questions and orders with.
        judge: How two answer sets are compared.
        judge_unit: Whether all answers are compared in one call, or each question's in a call of its own.
        judge_json: Whether votes are asked for as JSON.
        judges: More models that judge beside the evaluator's; votes are pooled.
        embedding_model: What tells how much two texts are alike, where a method asks for that; or None.
        reference_answers: Whether the roles see the template's answers.
        final_check: Whether the best prompt is compared with the seed on all questions at the end.
        patience: Rounds in a row without a win after which the run ends, or None.
        target_wins: Wins after which it ends, or None.
        budget: What the run may use.
        retry: How long a failed call is tried again.
        first_token_timeout: Seconds to the first token of a reply, or None for the role's `timeout`.
        call_timeout: Seconds for a whole reply, or None for no limit.
        base_url: One OpenAI-compatible endpoint for all roles, or None for each model's own.
        concurrency: Calls in flight at each endpoint, or None for each model's own limit.
        unused: Roles that the run never asks: their models need not exist.
    """

    roles: RoleSet
    max_rounds: int = 10
    initial_round: int = 1
    sample: int = 3
    seed: int = 0
    judge: ResolvedJudge = "balanced"
    judge_unit: Unit = "set"
    judge_json: bool = False
    judges: tuple[str, ...] = ()
    embedding_model: str | None = None
    reference_answers: bool = True
    final_check: bool = True
    patience: int | None = None
    target_wins: int | None = None
    budget: BudgetSettings = BudgetSettings()
    retry: RetrySettings = RetrySettings()
    first_token_timeout: float | None = None
    call_timeout: float | None = 1800.0
    base_url: str | None = None
    concurrency: int | None = None
    unused: tuple[Role, ...] = ()

    @property
    def limits(self) -> dict[str, float | int | None]:
        """What can be changed while a run goes on, each by the name it has in the journal and on the wire."""
        return {
            "rounds": self.max_rounds,
            "concurrency": self.concurrency,
            "patience": self.patience,
            "target_wins": self.target_wins,
            **msgspec.structs.asdict(self.budget),
        }

    @property
    def panel(self) -> tuple[str, ...]:
        """Every model that judges, the evaluator's first, each once."""
        return tuple(dict.fromkeys((self.roles.evaluator.model, *self.judges)))

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that the run asks, each once."""
        of_roles: dict[Role, tuple[str, ...]] = {
            "optimizer": (self.roles.optimizer.model,),
            "evaluator": self.panel,
            "executor": (self.roles.executor.model,),
        }
        asked = [model for role in self.asked for model in of_roles[role]]
        return tuple(dict.fromkeys([*asked, *([self.embedding_model] if self.embedding_model else [])]))

    @property
    def asked(self) -> tuple[Role, ...]:
        """The roles that the run asks."""
        return tuple(role for role in ROLES if role not in self.unused)

    def asking(self, *roles: Role) -> "RunSettings":
        """The same settings for what asks these roles only."""
        return msgspec.structs.replace(self, unused=tuple(role for role in ROLES if role not in roles))


LIMITS: Final[Mapping[str, str]] = {
    **{name: f"run.{name}" for name in ("concurrency", "patience", "target_wins")},
    **{name: f"budget.{name}" for name in ("usd", "tokens", "calls", "minutes")},
    "rounds": "run.max_rounds",
}
"""Limits that can be changed during a run: their names in the journal and on the wire, and their keys."""


class InvalidSettingError(ValueError):
    """A value that its setting does not take; the text is a sentence."""


def check_limits(changes: Mapping[str, object]) -> None:
    """Make sure that each of these limits exists and takes its new value.

    Raises:
        InvalidSettingError: One does not.
    """
    for name, value in changes.items():
        if name not in LIMITS:
            raise InvalidSettingError(f"{name} is not a limit; the limits are {', '.join(sorted(LIMITS))}.")
        _check(name, LIMITS[name], value)


def check_settings(settings: RunSettings) -> None:
    """Make sure that every setting of a run has a value that its flag would take.

    Raises:
        InvalidSettingError: One has not.
    """
    for setting in SETTINGS:
        value: object = settings
        for name in setting.key.removeprefix("run.").split("."):
            value = getattr(value, name, UNSET)
        if setting.key == "run.judges":
            value = ",".join(settings.judges) or None
        if value is not UNSET:
            _check(setting.key, setting.key, value)


def _check(name: str, key: str, value: object) -> None:
    try:
        convert(BY_KEY[key].kind, value)
    except KindError as error:
        raise InvalidSettingError(f"{name} {error.what}.") from None
