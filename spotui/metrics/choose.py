"""From what a template says under `metric` to a metric."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from spotui.domain.errors import KeyFault, nearest
from spotui.lang import N_, _

if TYPE_CHECKING:  # a list of templates makes no metric
    from spotui.metrics.mark import Metric


class Option(msgspec.Struct, frozen=True):
    """An option of a metric.

    Attributes:
        kind: What msgspec takes for it.
        wanted: What it has to be, for an error.
        needed: Whether there is no metric without it.
    """

    kind: Any
    wanted: str
    needed: bool = False


class Kind(msgspec.Struct, frozen=True):
    """A metric of ours: where its class is, and its options."""

    target: str
    options: dict[str, Option] = {}


_TAG: Final = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][\w.-]*$")]
_LABELS: Final = Annotated[list[Annotated[str, msgspec.Meta(min_length=1)]], msgspec.Meta(min_length=2)]
MATH: Final = "math"
"""The metric of ours that runs in a separate process, as a custom one does."""
_OVER: Final = Option(Literal["best", "mean"], N_("best or mean"))
METRICS: Final[Mapping[str, Kind]] = {
    "exact": Kind("texts:Exact"),
    "normalised": Kind("texts:Normalised"),
    "contains": Kind("texts:Contains"),
    "regex": Kind("texts:Pattern", {"pattern": Option(str, N_("a regular expression"), needed=True)}),
    "number": Kind(
        "number:Number",
        {"tolerance": Option(Annotated[float, msgspec.Meta(ge=0, le=1e300)], N_("a number, 0 or more"))},
    ),
    "multiple_choice": Kind("multiple_choice:MultipleChoice"),
    "yes_no": Kind("labels:YesNo"),
    "tag": Kind(
        "texts:Tag",
        {
            "tag": Option(_TAG, N_("the name of a tag, for example `answer` for <answer>"), needed=True),
            "metric": Option(Any, N_("another metric")),
        },
    ),
    "json": Kind("texts:JsonValue"),
    "schema": Kind(
        "structured:Schema",
        {"schema": Option(dict[str, Any], N_("a JSON schema"), needed=True)},
    ),
    "tool_call": Kind("structured:ToolCalls", {"ordered": Option(bool, N_("true or false"))}),
    "label": Kind(
        "labels:Label",
        {
            "labels": Option(
                _LABELS, N_("a list of at least two different labels, for example [valid, invalid]")
            )
        },
    ),
    MATH: Kind("math:Math"),
    "word_list": Kind("texts:WordList", {"ordered": Option(bool, N_("true or false"))}),
    "checks": Kind("checks:Checks", {"type": Option(str, N_("the type of all checks, e.g. icontains"))}),
    "f1": Kind("overlap:TokenF1"),
    "rouge_1": Kind("overlap:Rouge1", {"over": _OVER}),
    "rouge_2": Kind("overlap:Rouge2", {"over": _OVER}),
    "rouge_l": Kind("overlap:RougeL", {"over": _OVER}),
    "bleu": Kind("overlap:Bleu"),
    "chrf": Kind("overlap:Chrf"),
}

JUDGE: Final = "judge"
"""No metric of this floor: the evaluator marks by the template's criteria."""

CHOICES: Final[Mapping[str, Kind]] = {
    **METRICS,
    JUDGE: Kind("", {"scale": Option(Literal["binary", "graded"], N_("binary or graded"))}),
}
"""What a template can name."""

ALIASES: Final = {
    "normalized": "normalised",
    "token_f1": "f1",
    "rouge1": "rouge_1",
    "rouge2": "rouge_2",
    "rougel": "rouge_l",
}
_OWN_NAME: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_OWN: Final = Kind(
    "", {"timeout": Option(Annotated[float, msgspec.Meta(gt=0, le=3600)], N_("seconds, above 0"))}
)
_HOW: Final = N_(
    "Write, for example, `metric: number`, or `metric: my_file:my_function` for a Python function."
)


class MetricChoice(msgspec.Struct, frozen=True):
    """Which metric, and how.

    Attributes:
        name: One of `METRICS`, or `module:function` for a custom one.
        options: Its options, by name.
        inner: The metric that it hands its findings to, if it does that.
    """

    name: str
    options: dict[str, Any] = {}
    inner: "MetricChoice | None" = None


def read_choice(data: object) -> tuple[MetricChoice | None, list[KeyFault]]:
    """Read what a template says under `metric`.

    Args:
        data: A name, or a mapping with `name` and options, as plain data.

    Returns:
        The choice, and what is wrong; the choice is None when something is.
    """
    faults: list[KeyFault] = []
    choice = _choice(data, (), faults)
    return (None if faults else choice), faults


def make_metric(choice: MetricChoice, folder: Path) -> "Metric":
    """The metric itself, imported when it is needed.

    Args:
        choice: As `read_choice` gave it.
        folder: The template's folder, where the file of a custom metric is.

    Returns:
        The metric; a custom one, whose file is only read here, checks rows and marks nothing.

    Raises:
        MetricError: A pattern, or the file of a custom metric, is wrong.
    """
    if choice.name not in METRICS:
        from spotui.metrics.custom import Own
        from spotui.metrics.function import Named, is_function

        if is_function(choice.name):
            return Named(choice.name)
        return Own(choice.name, folder)
    module, _, name = METRICS[choice.name].target.partition(":")
    options = dict(choice.options)
    if choice.inner is not None:
        options["inner"] = make_metric(choice.inner, folder)
    metric: Metric = getattr(import_module(f"spotui.metrics.{module}"), name)(**options)
    return metric


def is_own(name: str) -> bool:
    """Whether a metric's name has the form of a custom one, `module:function`."""
    return _OWN_NAME.fullmatch(name) is not None


def worker_choice(choice: MetricChoice) -> MetricChoice | None:
    """The metric of a choice, also inside of `tag`, when it runs in a process; None for any other."""
    while choice.inner is not None:
        choice = choice.inner
    return choice if is_own(choice.name) or choice.name == MATH else None


def _choice(data: object, path: tuple[str, ...], faults: list[KeyFault]) -> MetricChoice | None:
    options = {key: value for key, value in data.items() if key != "name"} if isinstance(data, dict) else {}
    name = data.get("name") if isinstance(data, dict) else data
    if not isinstance(name, str) or not name.strip():
        faults.append(KeyFault(path, _("The metric has no name."), _(_HOW)))
        return None
    name = name.strip()
    folded = name.casefold().replace("-", "_").replace(" ", "_")
    folded = ALIASES.get(folded, folded)
    if folded in CHOICES:
        kind, name = CHOICES[folded], folded
    elif is_own(name):
        kind = _OWN
    else:
        meant = nearest(folded, CHOICES)
        hint = (
            _("Did you mean `{meant}`?", meant=meant)
            if meant
            else _("The metrics are {choices}.", choices=", ".join(CHOICES))
        )
        faults.append(KeyFault(path, _("Unknown metric `{name}`.", name=name[:40]), hint))
        return None
    faults += _faults(name, kind, options, path)
    inner = None
    if "metric" in kind.options:
        inner = _choice(options.pop("metric", "normalised"), (*path, "metric"), faults)
    if name == JUDGE and path:
        faults.append(
            KeyFault(path, _("The judge reads whole answers, not parts."), _("Choose another metric here."))
        )
    return MetricChoice(name, options, inner)


def _faults(name: str, kind: Kind, options: dict[str, Any], path: tuple[str, ...]) -> Iterator[KeyFault]:
    for key, option in kind.options.items():
        if option.needed and key not in options:
            yield KeyFault(
                path,
                _("The metric {name} needs `{key}`.", name=name, key=key),
                _("Add {wanted}.", wanted=_(option.wanted)),
            )
    for key, value in options.items():
        known = kind.options.get(key)
        if known is None:
            takes = (
                _("It takes {options}.", options=", ".join(kind.options))
                if kind.options
                else _("It takes no options.")
            )
            yield KeyFault(
                (*path, key), _("The metric {name} has no option `{key}`.", name=name, key=key[:40]), takes
            )
            continue
        try:
            options[key] = _convert(value, known.kind)
        except msgspec.ValidationError:
            what = _(
                "`{key}` of the metric {name} is not {wanted}.", key=key, name=name, wanted=_(known.wanted)
            )
            yield KeyFault((*path, key), what, _("Correct it or leave it out."))


def _convert(value: object, kind: Any) -> Any:
    """A value as an option takes it.

    Raises:
        msgspec.ValidationError: It is not of that kind.
    """
    if kind is not _LABELS or not isinstance(value, list):
        return msgspec.convert(value, kind)
    labels: list[str] = msgspec.convert([_as_text(one) for one in value], kind)
    if len({" ".join(one.split()) for one in labels} - {""}) < len(labels):
        raise msgspec.ValidationError("two labels are the same, or one is empty")
    return labels


def _as_text(label: object) -> object:
    """A label as a text: YAML reads true, 1 and null as something else."""
    if label is None:
        return "null"
    return (
        str(label).lower()
        if isinstance(label, bool)
        else str(label)
        if isinstance(label, int | float)
        else label
    )
