"""Every setting of a run in one table: its place, its kind, its flags, its variables and its default.

Flags, environment, template and config file are all read by this table, so a setting is added in one line.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from spotui.settings.kinds import (
    BaseUrl,
    Count,
    JudgeMode,
    Minutes,
    ModelId,
    ModelIds,
    Rate,
    Rounds,
    Seconds,
    Seed,
    Switch,
    Temperature,
    Tokens,
    UnitMode,
    Usd,
)
from spotui.settings.roles import DEFAULT_MODEL, DEFAULTS, ROLES, Role


class Setting(NamedTuple):
    """One setting.

    Attributes:
        key: Its dotted place in the config file, or its own name when the file cannot hold it.
        kind: What values it takes.
        flags: The fields of `Flags` that set it, the most special first.
        variables: The environment variables that set it, the most special first.
        default: Its value when nobody sets it; None for a timeout means that the model decides.
        help: One line for a person.
    """

    key: str
    kind: object
    flags: tuple[str, ...]
    variables: tuple[str, ...]
    default: object
    help: str

    @property
    def path(self) -> tuple[str, ...]:
        """The key in its parts."""
        return tuple(self.key.split("."))


def _of_role(
    role: Role, field: str, name: str, kind: object, default: object, help_text: str, shared: str = ""
) -> Setting:
    names = [f"{DEFAULTS[role].short}_{name}", *([shared] if shared else [])]
    variables = tuple(f"SPOTUI_{one}".upper() for one in names)
    return Setting(f"roles.{role}.{field}", kind, tuple(names), variables, default, help_text)


def _all_of_role(role: Role) -> tuple[Setting, ...]:
    warmth = DEFAULTS[role].temperature
    return (
        _of_role(role, "model", "model", ModelId, DEFAULT_MODEL, f"the {role}'s model", "model"),
        _of_role(role, "temperature", "temp", Temperature | None, warmth, f"the {role}'s temperature"),
        _of_role(
            role, "max_tokens", "max_tokens", Tokens | None, None, f"the {role}'s longest reply in tokens"
        ),
        _of_role(role, "timeout", "timeout", Seconds, None, f"seconds the {role} may stay silent", "timeout"),
    )


def _plain(key: str, kind: object, default: object, text: str, name: str = "") -> Setting:
    name = name or key.rpartition(".")[2]
    return Setting(key, kind, (name,), (f"SPOTUI_{name}".upper(),), default, text)


SETTINGS: Final[tuple[Setting, ...]] = (
    *(setting for role in ROLES for setting in _all_of_role(role)),
    _plain("run.max_rounds", Rounds, 10, "rounds in all, the seed round included"),
    _plain("initial_round", Rounds, 1, "the number of the first round"),
    _plain("run.sample", Count, 3, "questions drawn for a round"),
    _plain("run.seed", Seed, 0, "what the run draws its questions with"),
    _plain("run.judge", JudgeMode, "auto", "how answers are compared"),
    _plain(
        "run.judge_unit", UnitMode, "set", "whether answers are compared all at once or question by question"
    ),
    _plain("run.judges", ModelIds | None, None, "more models that judge, with commas between them"),
    _plain("run.embedding_model", ModelId | None, None, "what tells how alike two texts are"),
    _plain("run.judge_json", Switch, False, "whether votes are asked for as JSON"),
    _plain(
        "run.first_token_timeout",
        Seconds | None,
        None,
        "seconds to the first token of a reply (default: timeout)",
    ),
    _plain("run.call_timeout", Seconds | None, 1800.0, "seconds a whole reply may take"),
    _plain("run.concurrency", Count | None, None, "calls in flight at each endpoint"),
    _plain("run.reference_answers", Switch, True, "whether the roles see the template's answers"),
    _plain("run.patience", Count | None, None, "rounds in a row without a win after which the run ends"),
    _plain("run.target_wins", Count | None, None, "wins after which the run ends"),
    _plain(
        "run.final_check",
        Switch | None,
        None,
        "whether best and seed are compared on all questions at the end",
    ),
    _plain("budget.usd", Usd | None, None, "USD the run may spend", "budget_usd"),
    _plain("budget.tokens", Rate | None, None, "tokens the run may use", "budget_tokens"),
    _plain("budget.calls", Rate | None, None, "model calls the run may make", "budget_calls"),
    _plain("budget.minutes", Minutes | None, None, "minutes the run may take", "budget_minutes"),
    _plain("retry.tries", Count | None, 5, "calls in all before a failing call gives up"),
    _plain(
        "retry.seconds", Seconds | None, 120.0, "seconds after which a failing call gives up", "retry_seconds"
    ),
    _plain("base_url", BaseUrl | None, None, "one OpenAI-compatible endpoint for all roles"),
)

BY_KEY: Final[Mapping[str, Setting]] = {setting.key: setting for setting in SETTINGS}
