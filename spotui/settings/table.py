"""Every setting of a run in one table: its type and range, its flags, variables, config key and help."""

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from spotui.domain.errors import nearest
from spotui.settings.errors import show

Role = Literal["optimizer", "evaluator", "executor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

EMBEDDED_PREFIX: Final = "local/"
"""Model ids that start with this run inside spotui."""

DEFAULT_MODEL: Final = "local/qwen2.5-coder-1.5b"
"""Every role's model when none is chosen: it needs no account and no network."""

REFERENCE_MODEL: Final = "reference"
"""The model id that stands for the reference's own default of the role."""

OPENAI_URLS: Final = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""Where the address for OpenAI's models stands; the second is the older name, which many manuals give."""

HOSTED_TIMEOUT: Final = 120.0
EMBEDDED_TIMEOUT: Final = 600.0
"""Seconds without a token; a laptop reads 60 tokens a second, so its first token may take minutes."""


class RoleDefaults(NamedTuple):
    """What one role starts from.

    Attributes:
        short: What its flags and variables begin with.
        temperature: The reference's temperature.
        reference_model: The reference's model.
    """

    short: str
    temperature: float
    reference_model: str


DEFAULTS: Final[dict[Role, RoleDefaults]] = {
    "optimizer": RoleDefaults("opt", 0.7, "claude-3-5-sonnet-20240620"),
    "evaluator": RoleDefaults("eval", 0.3, "gpt-4o-mini"),
    "executor": RoleDefaults("exec", 0.0, "gpt-4o-mini"),
}


def is_embedded(model: str) -> bool:
    """Whether a model id names a model that runs inside spotui."""
    return model.startswith(EMBEDDED_PREFIX)


def default_timeout(model: str) -> float:
    """Seconds without a token after which a call to this model has timed out, when nobody says otherwise."""
    return EMBEDDED_TIMEOUT if is_embedded(model) else HOSTED_TIMEOUT


Judge = Literal["auto", "balanced", "thorough", "reference", "likelihood", "logprob"]
Unit = Literal["set", "row"]
JUDGES: Final[tuple[str, ...]] = get_args(Judge)


def _model_id_fault(text: str) -> str | None:
    if not text or any(letter.isspace() or not letter.isprintable() for letter in text):
        return "must be a model id without spaces"
    return None


def _model_ids_fault(text: str) -> str | None:
    if not all(one.strip() and _model_id_fault(one.strip()) is None for one in text.split(",")):
        return "must be model ids with commas between them"
    return None


def _name_fault(text: str) -> str | None:
    return None if text.isprintable() else "must be a name on one line"


def _variable_fault(text: str) -> str | None:
    if not (text.isascii() and text.isidentifier()):
        return "must be the name of an environment variable, such as MY_API_KEY, never the key itself"
    if len(text) >= 20 and "_" not in text:
        return "looks like a key; give the name of the environment variable that holds it"
    return None


def base_url_fault(text: str) -> str | None:
    """What is wrong with the root of an OpenAI-compatible endpoint, or None."""
    from urllib.parse import parse_qsl, urlsplit

    wanted = "must be a URL such as http://localhost:8000/v1"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return wanted
    if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in text):
        return wanted
    if "@" in parts.netloc:
        return "must not hold a user name or a password; a key goes into an environment variable"
    if any(_SECRET_NAME.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "must not hold a key; a key goes into an environment variable"
    if parts.fragment:
        return "must end with its path or its query, without '#'"
    return None


Temperature = Annotated[float, Meta(ge=0, le=2, description="a number from 0 to 2")]
Tokens = Annotated[int, Meta(ge=1, le=10_000_000, description="a whole number of tokens, 1 or more")]
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds, more than 0 and up to 86400")]
Rounds = Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")]
Count = Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")]
Rate = Annotated[int, Meta(ge=1, le=10**12, description="a whole number, 1 or more")]
Usd = Annotated[float, Meta(gt=0, le=10**9, description="an amount in USD, more than 0")]
UsdPerMillion = Annotated[float, Meta(ge=0, le=10**6, description="USD per million tokens, 0 or more")]
Minutes = Annotated[float, Meta(gt=0, le=10**6, description="minutes, more than 0")]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a whole number, 0 or more")]
Switch = Annotated[bool, Meta(description="true or false")]
UnitMode = Annotated[Unit, Meta(description="set or row")]
JudgeMode = Annotated[Judge, Meta(description=f"one of {', '.join(JUDGES)}")]
Name = Annotated[str, Meta(min_length=1, max_length=200, description="a name", extra={"fault": _name_fault})]
ModelId = Annotated[str, Meta(description="a model id", extra={"fault": _model_id_fault})]
ModelIds = Annotated[
    str, Meta(description="model ids with commas between them", extra={"fault": _model_ids_fault})
]
BaseUrl = Annotated[str, Meta(description="a URL", extra={"fault": base_url_fault})]
Variable = Annotated[
    str, Meta(description="the name of an environment variable", extra={"fault": _variable_fault})
]

_SECRET_NAME: Final = re.compile(r"key|token|secret|passw|credential|auth|^(?:code|sig)$", re.IGNORECASE)

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("none", "null"), None),
    **dict.fromkeys(("yes", "on"), True),
    **dict.fromkeys(("no", "off"), False),
}


class KindError(ValueError):
    """A value that its setting does not take.

    Args:
        what: Goes on from the setting's name, without a full stop: "must be ...".
        mend: What was probably meant.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def convert(kind: object, value: object) -> object:
    """Check one value that came typed, from YAML or from Python.

    Args:
        kind: One of the kinds above, perhaps in a union with None and UnsetType.
        value: What was given.

    Returns:
        The value as the kind wants it; a whole float such as 1e6 is a whole number.

    Raises:
        KindError: It does not fit.
    """
    if isinstance(value, float) and value.is_integer() and _base(kind) is int:
        value = int(value)
    return _convert(kind, value, strict=True)


def convert_text(kind: object, text: str) -> object:
    """Check one value that came as text, from the environment or a flag; `none` lifts a limit.

    Raises:
        KindError: It does not fit.
    """
    plain = text.strip()
    word = plain.casefold()
    if word in _WORDS and _base(kind) is not str:
        return _convert(kind, _WORDS[word], strict=True)
    return _convert(kind, plain, strict=False)


def members(kind: object) -> tuple[object, ...]:
    """The kinds of a union, or the kind alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _convert(kind: object, value: object, *, strict: bool) -> object:
    meta = _meta(kind)
    try:
        found: object = msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        meant = nearest(value, _choices(kind)) if isinstance(value, str) else None
        raise KindError(
            f"must be {_wanted(kind, meta)}, not {show(value)}", f"Did you mean {meant}?" if meant else ""
        ) from None
    fault = meta.extra.get("fault") if meta and meta.extra else None
    if fault and isinstance(found, str) and (what := fault(found)):
        raise KindError(what)
    return found


def _wanted(kind: object, meta: Meta | None) -> str:
    wanted = str(meta.description) if meta else "text"
    return f"{wanted}, or null for none" if type(None) in members(kind) else wanted


def _annotated(kind: object) -> object | None:
    return next((member for member in members(kind) if get_origin(member) is Annotated), None)


def _meta(kind: object) -> Meta | None:
    extras = getattr(_annotated(kind), "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, Meta)), None)


def _base(kind: object) -> object:
    """The type below the annotation."""
    annotated = _annotated(kind)
    return get_args(annotated)[0] if annotated is not None else kind


def _choices(kind: object) -> tuple[str, ...]:
    base = _base(kind)
    return get_args(base) if get_origin(base) is Literal else ()


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
