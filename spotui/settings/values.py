"""The values that settings take: type, bounds, and the sentence that refuses another value."""

import re
import shlex
from types import UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from spotui.domain.answer_cost import Prefer
from spotui.domain.errors import nearest
from spotui.domain.messages import Position
from spotui.lang import N_, _, is_language, languages
from spotui.settings.errors import show
from spotui.settings.variables import is_half_reference, is_reference

ResolvedJudge = Literal["balanced", "thorough", "reference", "likelihood", "logprob"]
Judge = Literal["auto", ResolvedJudge]
Unit = Literal["set", "row"]
Racing = Literal["paired", "halving", "none"]


def _model_id_fault(text: str) -> str | None:
    if not text or any(letter.isspace() or not letter.isprintable() for letter in text):
        return _("must be a model id without spaces")
    return None


def _model_ids_fault(text: str) -> str | None:
    if not all(one.strip() and _model_id_fault(one.strip()) is None for one in text.split(",")):
        return _("must be model ids with commas between them")
    return None


def _trackers_fault(text: str) -> str | None:
    if not all(one.strip().isprintable() and one.strip() for one in text.split(",")):
        return _("must be names of trackers with commas between them")
    return None


_BATCHED: Final = ("optimizer", "evaluator", "executor", "all")


def _batch_fault(text: str) -> str | None:
    if not all(one.strip() in _BATCHED for one in text.split(",")):
        return _("must be roles with commas between them, of optimizer, evaluator and executor, or all")
    return None


def _name_fault(text: str) -> str | None:
    return None if text.isprintable() else _("must be a name on one line")


def _language_fault(text: str) -> str | None:
    known = ", ".join(languages())
    return None if is_language(text) else _("must be one of {known}, or a compiled catalogue", known=known)


def _variable_fault(text: str) -> str | None:
    if not (text.isascii() and text.isidentifier()):
        return _("must be the name of an environment variable, for example MY_API_KEY, never the key itself")
    if len(text) >= 20 and "_" not in text:
        return _("looks like a key; give the name of the environment variable that holds it")
    return None


def _object_fault(text: str) -> str | None:
    found = _read_object(text)
    if found is None:
        return _("must be a JSON object, for example {example}", example='{"top_p": 0.9}')
    own = next((name for name in _OWN_FIELDS if name in found), None)
    return None if own is None else _("must not set {name}, which spotui sets itself", name=own)


def _texts_fault(text: str) -> str | None:
    found = _read_object(text)
    if found is None or not all(isinstance(one, str) for one in found.values()):
        return _("must be a JSON object of texts, for example {example}", example='{"X-Team": "search"}')
    if any(_SECRET_NAME.search(name) and not is_reference(str(value)) for name, value in found.items()):
        return _(
            "must not hold a key; put it into an environment variable and write {example}",
            example="${ITS_NAME}",
        )
    if any(is_half_reference(str(value)) for value in found.values()):
        return _("must name an environment variable as {example}", example="${TEAM_ID}")
    if not all(
        f"{name}{value}".isascii() and f"{name}{value}".isprintable() for name, value in found.items()
    ):
        return _("must hold names and texts of plain letters, without line breaks")
    return None


def _read_object(text: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return None


def base_url_fault(text: str) -> str | None:
    """What is wrong with the root of an OpenAI-compatible endpoint, or None."""
    from urllib.parse import parse_qsl, urlsplit

    wanted = _("must be a URL, for example http://localhost:8000/v1")
    try:
        parts = urlsplit(text)
        host, _unused = parts.hostname, parts.port
    except ValueError:
        return wanted
    if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in text):
        return wanted
    if "@" in parts.netloc:
        return _("must not hold a user name or a password; a key goes into an environment variable")
    if any(_SECRET_NAME.search(name) for name, _unused in parse_qsl(parts.query, keep_blank_values=True)):
        return _("must not hold a key; a key goes into an environment variable")
    if parts.fragment:
        return _("must end with its path or its query, without '#'")
    return None


def _command_fault(text: str) -> str | None:
    try:
        words = shlex.split(text)
    except ValueError:
        return _("must be a command whose quotation marks are closed")
    return None if words and words[0] else _("must be a command, for example python agent.py")


Temperature = Annotated[float, Meta(ge=0, le=2, description=N_("a number from 0 to 2"))]
Tokens = Annotated[int, Meta(ge=1, le=10_000_000, description=N_("a whole number of tokens, 1 or more"))]
Seconds = Annotated[
    float,
    Meta(gt=0, le=86_400, description=N_("seconds, more than 0 and up to 86400"), extra={"placeholder": "S"}),
]
Rounds = Annotated[int, Meta(ge=1, le=10_000, description=N_("a whole number from 1 to 10000"))]
Count = Annotated[int, Meta(ge=1, le=10_000, description=N_("a whole number from 1 to 10000"))]
Rate = Annotated[int, Meta(ge=1, le=10**12, description=N_("a whole number, 1 or more"))]
Usd = Annotated[float, Meta(gt=0, le=10**9, description=N_("an amount in USD, more than 0"))]
UsdPerMillion = Annotated[float, Meta(ge=0, le=10**6, description=N_("USD per million tokens, 0 or more"))]
Minutes = Annotated[float, Meta(gt=0, le=10**6, description=N_("minutes, more than 0"))]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1, description=N_("a whole number, 0 or more"))]
Switch = Annotated[bool, Meta(description=N_("true or false"))]
PromptPosition = Annotated[Position, Meta()]
UnitMode = Annotated[Unit, Meta(description=N_("set or row"))]
JudgeMode = Annotated[Judge, Meta()]
RacingMode = Annotated[Racing, Meta()]
PreferMode = Annotated[Prefer, Meta()]
CopyMode = Annotated[Literal["refused", "allowed"], Meta(description=N_("refused or allowed"))]
Name = Annotated[
    str, Meta(min_length=1, max_length=200, description=N_("a name"), extra={"fault": _name_fault})
]
Language = Annotated[str, Meta(description=N_("a language"), extra={"fault": _language_fault})]
ModelId = Annotated[
    str, Meta(description=N_("a model id"), extra={"fault": _model_id_fault, "placeholder": "ID"})
]
ModelIds = Annotated[
    str,
    Meta(
        description=N_("model ids with commas between them"),
        extra={"fault": _model_ids_fault, "placeholder": "IDS"},
    ),
]
TrackerNames = Annotated[
    str,
    Meta(
        description=N_("trackers with commas between them"),
        extra={"fault": _trackers_fault, "placeholder": "NAMES"},
    ),
]
BatchRoles = Annotated[
    str,
    Meta(
        description=N_("roles with commas between them, or all"),
        extra={"fault": _batch_fault, "placeholder": "ROLES"},
    ),
]
Command = Annotated[
    str,
    Meta(
        description=N_("a command"),
        extra={"fault": _command_fault, "placeholder": "COMMAND", "takes_words": True},
    ),
]
JsonObject = Annotated[
    str,
    Meta(
        description=N_("a JSON object"),
        extra={"fault": _object_fault, "placeholder": "JSON", "takes_object": True},
    ),
]
Headers = Annotated[
    str,
    Meta(
        description=N_("a JSON object of texts"),
        extra={"fault": _texts_fault, "placeholder": "JSON", "takes_object": True},
    ),
]
BaseUrl = Annotated[str, Meta(description=N_("a URL"), extra={"fault": base_url_fault, "placeholder": "URL"})]
Variable = Annotated[
    str, Meta(description=N_("the name of an environment variable"), extra={"fault": _variable_fault})
]

_OWN_FIELDS: Final = (
    *("model", "messages", "input", "stream", "stream_options"),
    *("tools", "response_format", "n"),
)
_SECRET_NAME: Final = re.compile(r"key|token|secret|passw|credential|auth|^(?:code|sig)$", re.IGNORECASE)

_NONE: Final = ("none", "null")
_SWITCHES: Final[dict[str, bool]] = {
    **dict.fromkeys(("yes", "on"), True),
    **dict.fromkeys(("no", "off"), False),
}


class KindError(ValueError):
    """A value that its setting does not take.

    Args:
        what: Goes on from the setting's name, without a full stop: "must be ...".
        hint: What was probably meant.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def about(self, name: str) -> str:
        """The whole sentence.

        Args:
            name: What the setting is called where the value was given.
        """
        return _("{name} {what}.", name=name, what=self.what)


def convert(kind: object, value: object) -> object:
    """Check one value that came typed, from YAML or from Python.

    Args:
        kind: One of the kinds above, perhaps in a union with None.
        value: What was given; the text `none` is None where the kind takes it.

    Returns:
        The value as the kind wants it; a whole float, for example 1e6, is a whole number.

    Raises:
        KindError: It does not fit.
    """
    if isinstance(value, float) and value.is_integer() and base(kind) is int:
        value = int(value)
    if isinstance(value, str) and _is_none(kind, value):
        value = None
    if (
        isinstance(value, list)
        and _takes(kind, "takes_words")
        and all(isinstance(one, str | int) for one in value)
    ):
        value = shlex.join(map(str, value))
    if isinstance(value, dict) and _takes(kind, "takes_object"):
        value = msgspec.json.encode(value, order="sorted").decode()
    return _convert(kind, value, value, strict=True)


class InvalidSettingError(ValueError):
    """A value that its setting does not take; the text is a sentence."""


def check(name: str, kind: object, value: object) -> None:
    """Make sure that a kind takes a value that was stored or sent.

    Raises:
        InvalidSettingError: It does not.
    """
    try:
        convert(kind, value)
    except KindError as error:
        raise InvalidSettingError(error.about(name)) from None


def convert_text(kind: object, text: str) -> object:
    """Check one value that came as text, from a variable, a flag or a field; `none` lifts a limit.

    Raises:
        KindError: It does not fit.
    """
    plain = text.strip()
    if _is_none(kind, plain):
        return None
    if base(kind) is bool and plain.casefold() in _SWITCHES:
        return _SWITCHES[plain.casefold()]
    return _convert(kind, plain, _as_number(plain), strict=False)


def _takes(kind: object, form: str) -> bool:
    """Whether a list of words, or a mapping, is a value of this kind, too."""
    meta = _meta(kind)
    return bool(meta and meta.extra and meta.extra.get(form))


def _is_none(kind: object, text: str) -> bool:
    return text.strip().casefold() in _NONE and type(None) in members(kind)


def _as_number(text: str) -> object:
    """A text as the same value in a file is shown."""
    try:
        found = msgspec.json.decode(text) if len(text) < 20 else text
    except msgspec.DecodeError:
        return text
    return found if isinstance(found, int | float) else text


def members(kind: object) -> tuple[object, ...]:
    """The kinds of a union, or the kind alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _convert(kind: object, value: object, written: object, *, strict: bool) -> object:
    meta = _meta(kind)
    try:
        found: object = msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        meant = nearest(value, choices(kind)) if isinstance(value, str) else None
        raise KindError(
            _("must be {wanted}, not {written}", wanted=wanted(kind), written=show(written)),
            _("Did you mean {meant}?", meant=meant) if meant else "",
        ) from None
    fault = meta.extra.get("fault") if meta and meta.extra else None
    if fault and isinstance(found, str) and (what := fault(found)):
        raise KindError(what)
    return found


def wanted(kind: object) -> str:
    """The values that a kind takes, in words."""
    meta, words = _meta(kind), choices(base(kind))
    if meta is not None and meta.description:
        said = _(meta.description)
    elif words:
        said = _("one of {words}", words=", ".join(words))
    else:
        said = _("text")
    return _("{words}, or none", words=said) if type(None) in members(kind) else said


def choices(kind: object) -> tuple[str, ...]:
    """The words that a kind takes, for a person to choose from; none where it takes any text or number."""
    inner = base(kind)
    words = get_args(inner) if get_origin(inner) is Literal else ("true", "false") if inner is bool else ()
    return (*words, "none") if type(None) in members(kind) else words


def placeholder(kind: object) -> str:
    """A word for a value of this kind in a line of help, for example N."""
    meta, inner = _meta(kind), base(kind)
    if get_origin(inner) is Literal:
        return f"{{{','.join(get_args(inner))}}}"
    named = meta.extra.get("placeholder") if meta and meta.extra else None
    return str(named or ("N" if inner in (int, float) else "TEXT"))


def _annotated(kind: object) -> object | None:
    return next((member for member in members(kind) if get_origin(member) is Annotated), None)


def _meta(kind: object) -> Meta | None:
    extras = getattr(_annotated(kind), "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, Meta)), None)


def base(kind: object) -> object:
    """The type below a kind's bounds."""
    annotated = _annotated(kind)
    return get_args(annotated)[0] if annotated is not None else kind
