"""The table of settings: flags, variables, config keys, the Settings screen and documents are made of it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple, cast, get_args, get_origin

import msgspec
from msgspec import UNSET

from spotui.lang import N_
from spotui.settings.values import (
    BaseUrl,
    BatchRoles,
    Command,
    CopyMode,
    Count,
    Headers,
    InvalidSettingError,
    JsonObject,
    JudgeMode,
    Minutes,
    ModelId,
    ModelIds,
    PreferMode,
    PromptPosition,
    RacingMode,
    Rate,
    ResolvedJudge,
    Rounds,
    Seconds,
    Seed,
    Switch,
    Temperature,
    Tokens,
    TrackerNames,
    UnitMode,
    Usd,
    check,
)

Role = Literal["optimizer", "evaluator", "executor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

EMBEDDED_PREFIX: Final = "local/"
"""Model ids that start with this run inside spotui."""

DEFAULT_MODEL: Final = "local/qwen2.5-coder-1.5b"
"""Every role's model when none is chosen: it needs no account and no network."""

PROGRAM_PREFIX: Final = "program/"
"""Model ids that start with this are programs of the user, started by a command or reached by a URL."""

FUNCTION_PREFIX: Final = "function/"
"""Model ids that start with this are Python functions that were handed over in Python."""

HOSTED_TIMEOUT: Final = 120.0
EMBEDDED_TIMEOUT: Final = 600.0
"""Seconds without a token; a laptop reads 60 tokens a second, so its first token may take minutes."""


class RoleDefaults(NamedTuple):
    """The beginning of a role's flags and variables, and the temperature that SPO's reference gives it."""

    short: str
    temperature: float


DEFAULTS: Final[dict[Role, RoleDefaults]] = {
    "optimizer": RoleDefaults("opt", 0.7),
    "evaluator": RoleDefaults("eval", 0.3),
    "executor": RoleDefaults("exec", 0.0),
}


def is_embedded(model: str) -> bool:
    """Whether a model id names a model that runs inside spotui."""
    return model.startswith(EMBEDDED_PREFIX)


def is_program(model: str) -> bool:
    """Whether a model id names something of the user's, which is given the prompt and the row apart."""
    return model.startswith((PROGRAM_PREFIX, FUNCTION_PREFIX))


def default_timeout(model: str) -> float:
    """Seconds without a token after which a call to this model has timed out, when nobody chose a number."""
    return EMBEDDED_TIMEOUT if is_embedded(model) else HOSTED_TIMEOUT


class Group(StrEnum):
    """Settings that belong together: a heading of help, screen and documents, and what a verb can take."""

    ROUNDS = N_("rounds")
    PROMPT = N_("prompt")
    QUESTIONS = N_("questions")
    SEED = N_("random seed")
    JUDGE = N_("judge")
    FINAL_CHECK = N_("final check")
    BUDGET = N_("budget")
    CALLS = N_("calls")
    BATCHES = N_("batches")
    TRACKING = N_("tracking")
    MODELS = N_("models")
    OPTIMIZER = N_("optimizer")
    EVALUATOR = N_("evaluator")
    EXECUTOR = N_("executor")


PREFIX: Final = "SPOTUI_"
"""The beginning of spotui's variables."""


_LABELS: Final = (
    *(
        N_("Batch"),
        N_("Body"),
        N_("Call timeout"),
        N_("Calls"),
        N_("Command"),
        N_("Concurrency"),
        N_("Copies"),
    ),
    *(N_("Demonstrations"), N_("Embedding model"), N_("Endpoint"), N_("Final check")),
    *(N_("First token timeout"), N_("Graded marks"), N_("Grammar"), N_("Headers"), N_("JSON"), N_("Judge")),
    *(N_("Judge unit"), N_("Max rounds"), N_("Max tokens"), N_("Minutes"), N_("Model"), N_("More judges")),
    *(
        N_("Patience"),
        N_("Position"),
        N_("Prefer"),
        N_("Query"),
        N_("Racing"),
        N_("Reference answers"),
        N_("Retry seconds"),
    ),
    *(N_("Sample"), N_("Seed"), N_("Start from probes"), N_("Target wins"), N_("Temperature")),
    *(N_("Timeout"), N_("Tokens"), N_("Track"), N_("Tries"), N_("URL"), N_("USD"), N_("Width")),
)
"""The labels that follow from the names of fields, for the catalogue; a test names one that is missing."""


class Setting(NamedTuple):
    """One setting. Its line gives the help, the group, and what else does not follow from the field.

    Attributes:
        help: A phrase for a person.
        group: The settings it belongs to; for a setting of a role, that role.
        label: Its name on the screen; made of the field's name unless given.
        flags: The flags that set it, with underscores and without dashes, the most special first; made of the
            field's name unless given.
        shared: The help of a second flag, which sets it for all roles; empty when there is none.
        kind: The values it takes; those of the field unless given.
        default: Its value when nobody sets it; the field's unless given, and None where `usual` says more.
        usual: The default in words.
        limit: Its name in the journal and on the wire, if it can be changed during a run.
        key: Its dotted place in the config file, which follows from the field.
    """

    help: str
    group: Group | None = None
    label: str = ""
    flags: tuple[str, ...] = ()
    shared: str = ""
    kind: object = None
    default: object = UNSET
    usual: str = ""
    limit: str = ""
    key: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The key in its parts."""
        return tuple(self.key.split("."))

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that set it, the most special first."""
        return tuple(f"{PREFIX}{flag}".upper() for flag in self.flags)


_TEMPERATURES: Final = {role: one.temperature for role, one in DEFAULTS.items()}


class RoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one role is asked: each line here is a setting of every role."""

    model: Annotated[
        ModelId,
        Setting(
            "a model id, or 'reference' for the model of SPO's reference",
            default=DEFAULT_MODEL,
            shared=N_("one model for all three roles"),
        ),
    ]
    temperature: Annotated[
        Temperature | None, Setting("none leaves it to the endpoint", flags=("temp",), default=_TEMPERATURES)
    ]
    max_tokens: Annotated[
        Tokens | None, Setting("the longest reply, in tokens", default=None, usual=N_("the endpoint's"))
    ]
    timeout: Annotated[
        Seconds,
        Setting(
            "seconds without a token before a call times out",
            default=None,
            usual=N_("120, or 600 for an embedded model"),
            shared=N_("seconds without a token before a call times out, for all three roles"),
        ),
    ]
    body: Annotated[
        JsonObject | None,
        Setting(N_("more fields of the request, e.g. top_p, seed, stop, reasoning_effort"), default=None),
    ] = None
    headers: Annotated[Headers | None, Setting(N_("more headers of the request"), default=None)] = None
    query: Annotated[Headers | None, Setting(N_("more of the query of the address"), default=None)] = None


class RoleSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three roles of a run."""

    optimizer: RoleSettings
    evaluator: RoleSettings
    executor: RoleSettings

    def of(self, role: Role) -> RoleSettings:
        """The settings of the role with this name."""
        return {"optimizer": self.optimizer, "evaluator": self.evaluator, "executor": self.executor}[role]


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that a run may use, over all roles together; None is no limit."""

    usd: Annotated[Usd | None, Setting("USD to spend at most", Group.BUDGET, label="USD", limit="usd")] = None
    tokens: Annotated[Rate | None, Setting("tokens to use at most", Group.BUDGET, limit="tokens")] = None
    calls: Annotated[Rate | None, Setting("model calls to make at most", Group.BUDGET, limit="calls")] = None
    minutes: Annotated[Minutes | None, Setting("minutes to take at most", Group.BUDGET, limit="minutes")] = (
        None
    )


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a failed call is tried again; None is no limit of that sort, and both None is no retry."""

    tries: Annotated[
        Count | None, Setting("tries of one call, the first included", Group.CALLS, flags=("tries",))
    ] = 5
    seconds: Annotated[
        Seconds | None,
        Setting("no try begins later than this; both none: no retry", Group.CALLS, label="Retry seconds"),
    ] = 120.0

    @property
    def enabled(self) -> bool:
        """Whether a failed call is tried again at all."""
        return self.tries is not None or self.seconds is not None


class ProgramSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program that answers in place of the executor's model: a command or an address.

    Attributes:
        folder: The folder that the command starts in; empty without a command.
    """

    command: Annotated[
        Command | None,
        Setting(
            "a program that answers in place of a model, for example 'python agent.py'",
            Group.EXECUTOR,
            flags=("exec_command",),
        ),
    ] = None
    url: Annotated[
        BaseUrl | None,
        Setting(
            "an address that answers in place of a model",
            Group.EXECUTOR,
            label="URL",
            flags=("exec_url",),
        ),
    ] = None
    folder: str = ""


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one run, free of secrets, so that they can be stored with it.

    Each line with `Setting` is a setting with the config key `run.NAME`, the flag `--NAME` and the variable
    `SPOTUI_NAME`.

    Attributes:
        unused: Roles that the run never asks: their models need not exist.
    """

    max_rounds: Annotated[
        Rounds, Setting("rounds in all, the seed included", Group.ROUNDS, limit="rounds")
    ] = 10
    patience: Annotated[
        Count | None,
        Setting("end after so many rounds in a row without a win or a lead", Group.ROUNDS, limit="patience"),
    ] = None
    target_wins: Annotated[
        Count | None, Setting("end after so many wins", Group.ROUNDS, limit="target_wins")
    ] = None
    racing: Annotated[
        RacingMode,
        Setting(
            "how candidates race on rows: paired drops those that a paired test finds behind, halving the "
            "worse half after each block; none asks every row",
            Group.ROUNDS,
        ),
    ] = "paired"
    prefer: Annotated[
        PreferMode,
        Setting(
            "what decides between prompts that are equally good within noise: cheaper per answer, or a "
            "shorter prompt; a loss is never accepted",
            Group.ROUNDS,
        ),
    ] = "none"
    graded_marks: Annotated[
        Switch,
        Setting(
            "choose prompts by how probable the right option is, where the endpoint reports it, with the "
            "metric multiple_choice or yes_no; scores stay as they are",
            Group.ROUNDS,
        ),
    ] = False
    start_from_probes: Annotated[
        Switch,
        Setting("try the prompts that beat the seed in 'spotui headroom' first", Group.ROUNDS),
    ] = False
    width: Annotated[
        Count | None,
        Setting("candidates a round, all asked for at once", Group.ROUNDS, usual=N_("the method's")),
    ] = None
    position: Annotated[
        PromptPosition | None,
        Setting(
            "position of the prompt when a question is asked",
            Group.PROMPT,
            usual=N_("as the method's paper has it"),
        ),
    ] = None
    demonstrations: Annotated[
        Count | None,
        Setting(
            "solved train rows, at most, that the last round adds to the best prompt; none: no such round",
            Group.PROMPT,
        ),
    ] = None
    copies: Annotated[
        CopyMode,
        Setting(
            "new prompts that repeat five or more consecutive words of an example row: refused or allowed",
            Group.PROMPT,
        ),
    ] = "refused"
    sample: Annotated[Count, Setting("questions a round asks; the rest is held out", Group.QUESTIONS)] = 3
    reference_answers: Annotated[
        Switch, Setting("show the template's answers to optimizer and evaluator", Group.QUESTIONS)
    ] = True
    seed: Annotated[Seed, Setting("draws the questions and every order", Group.SEED)] = 0
    judge: Annotated[
        ResolvedJudge,
        Setting(
            "balanced: three of four votes, in both orders; thorough: a lead of five; reference: four coin "
            "flips; likelihood or logprob: the probability of A against B; auto: likelihood or balanced",
            Group.JUDGE,
            kind=JudgeMode,
            default="auto",
        ),
    ] = "balanced"
    judge_unit: Annotated[
        UnitMode, Setting("set: compare all answers in one call; row: each alone", Group.JUDGE)
    ] = "set"
    judge_json: Annotated[
        Switch,
        Setting("ask for votes as JSON, where the endpoint can promise that", Group.JUDGE, label="JSON"),
    ] = False
    judges: Annotated[
        tuple[str, ...],
        Setting(
            "more models that judge beside the evaluator; votes are pooled",
            Group.JUDGE,
            label="More judges",
            kind=ModelIds | None,
            default=None,
        ),
    ] = ()
    final_check: Annotated[
        bool,
        Setting(
            "compare best and seed on all questions at the end",
            Group.FINAL_CHECK,
            kind=Switch | None,
            default=None,
            usual=N_("true, or false with the judge reference"),
        ),
    ] = True
    budget: BudgetSettings = BudgetSettings()
    concurrency: Annotated[
        Count | None,
        Setting(
            "calls in flight at each endpoint",
            Group.CALLS,
            usual=N_("8, or the model's"),
            limit="concurrency",
        ),
    ] = None
    retry: RetrySettings = RetrySettings()
    first_token_timeout: Annotated[
        Seconds | None, Setting("seconds to the first token of a reply", Group.CALLS, usual=N_("the timeout"))
    ] = None
    call_timeout: Annotated[Seconds | None, Setting("seconds a whole reply may take", Group.CALLS)] = 1800.0
    base_url: Annotated[
        BaseUrl | None,
        Setting("one OpenAI-compatible endpoint for all roles", Group.MODELS, label="Endpoint"),
    ] = None
    grammar: Annotated[
        Switch,
        Setting("send grammars (GBNF) to OpenAI-compatible servers, as llama.cpp takes them", Group.MODELS),
    ] = False
    batch: Annotated[
        BatchRoles | None,
        Setting(
            "roles whose calls are sent as batches of the provider, for a lower price and within a day: for "
            "example executor,evaluator, or all",
            Group.BATCHES,
        ),
    ] = None
    track: Annotated[
        TrackerNames | None,
        Setting(
            "trackers that rounds and the best prompt are reported to, for example mlflow or wandb",
            Group.TRACKING,
        ),
    ] = None
    roles: RoleSet
    program: ProgramSettings = ProgramSettings()
    embedding_model: Annotated[
        ModelId | None, Setting("compares prompts, for relevance=embedding", Group.OPTIMIZER)
    ] = None
    unused: tuple[Role, ...] = ()
    initial_round: int = 1  # in the run.yaml of earlier versions, without a meaning

    @property
    def limits(self) -> dict[str, float | int | None]:
        """The settings that can be changed during a run, by their names in the journal and on the wire."""
        return {name: cast("float | int | None", value_at(self, one.path)) for name, one in LIMITS.items()}

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
    def batched(self) -> frozenset[Role]:
        """The roles whose calls are sent as batches."""
        named = {one.strip() for one in (self.batch or "").split(",")}
        return frozenset(role for role in self.asked if role in named or "all" in named)

    @property
    def asked(self) -> tuple[Role, ...]:
        """The roles that the run asks."""
        return tuple(role for role in ROLES if role not in self.unused)

    def asking(self, *roles: Role) -> "RunSettings":
        """The same settings for what asks these roles only."""
        return msgspec.structs.replace(self, unused=tuple(role for role in ROLES if role not in roles))


def option(flag: str) -> str:
    """The flag as it is typed."""
    return "--" + flag.replace("_", "-")


def text_of(value: object) -> str:
    """A value as it is typed; `none` for no limit."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _settings_of(
    struct: type[msgspec.Struct], path: tuple[str, ...] = (), role: Role | None = None
) -> Iterator[Setting]:
    """The settings among the fields of a struct and of the structs in it, in their order."""
    for field in msgspec.structs.fields(struct):
        here = (*path, field.name)
        kind, *rest = get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
        if line := next((one for one in rest if isinstance(one, Setting)), None):
            bounds = tuple(one for one in rest if one is not line)
            yield _complete(line, here, Annotated[kind, *bounds] if bounds else kind, field.default, role)
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _settings_of(kind, here, next((one for one in ROLES if one == field.name), role))


def _complete(
    line: Setting, path: tuple[str, ...], kind: object, default: object, role: Role | None
) -> Setting:
    """A setting's line with all that follows from the field it is at."""
    name = path[-1]
    default = default if line.default is UNSET else line.default
    default = default[role] if isinstance(default, Mapping) else default
    flags = line.flags or ("_".join(path),)
    if role:
        flags = (f"{DEFAULTS[role].short}_{line.flags[0] if line.flags else name}",)
    return line._replace(
        key=".".join(path if len(path) > 1 else ("run", name)),
        group=line.group or Group(str(role)),
        label=line.label or name.replace("_", " ").capitalize(),
        flags=(*flags, name) if line.shared else flags,
        kind=line.kind or kind,
        default=default,
        usual=line.usual or text_of(default),
    )


SETTINGS: Final[tuple[Setting, ...]] = tuple(
    sorted(_settings_of(RunSettings), key=lambda setting: [*Group].index(setting.group or Group.ROUNDS))
)
BY_KEY: Final[Mapping[str, Setting]] = {setting.key: setting for setting in SETTINGS}
LIMITS: Final[Mapping[str, Setting]] = {setting.limit: setting for setting in SETTINGS if setting.limit}
"""The settings that can be changed during a run, by their names in the journal and on the wire."""


def check_limits(changes: Mapping[str, object]) -> None:
    """Make sure that each of these limits exists and takes its new value.

    Raises:
        InvalidSettingError: One does not.
    """
    for name, value in changes.items():
        if name not in LIMITS:
            raise InvalidSettingError(f"{name} is not a limit; the limits are {', '.join(sorted(LIMITS))}.")
        check(name, LIMITS[name].kind, value)


def read_settings(stored: Mapping[str, object]) -> RunSettings:
    """Read the settings that were stored with a run.

    Raises:
        InvalidSettingError: A setting has a value that its flag would not take.
    """
    for setting in SETTINGS:
        value = value_at(stored, setting.path)
        if isinstance(value, list):  # `judges`: in a run a list, in a flag one text
            value = ",".join(map(str, value)) or None
        if value is not UNSET:
            check(setting.key, setting.kind, value)
    try:
        return msgspec.convert(stored, RunSettings)
    except msgspec.ValidationError as error:
        raise InvalidSettingError(str(error)) from None


def value_at(settings: object, path: tuple[str, ...]) -> object:
    """The value of a setting in a run's settings, in memory or stored; UNSET where it has none."""
    for name in path[path[0] == "run" :]:
        settings = (
            settings.get(name, UNSET) if isinstance(settings, Mapping) else getattr(settings, name, UNSET)
        )
    return settings
