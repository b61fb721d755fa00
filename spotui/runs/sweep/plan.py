"""Reads the plan of a sweep: what is multiplied with what, and what is left out."""

import math
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import N_, _
from spotui.methods import check_method
from spotui.settings.table import DEFAULTS, ROLES, SETTINGS, BudgetSettings, Group, Setting, option
from spotui.settings.values import KindError, ModelId, Seed, convert
from spotui.templates.model import Problem, TemplateError
from spotui.templates.read import read_text
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import EmptyYamlError, YamlError
from spotui.templates.yaml.nodes import MappingNode, Node, Plain, line_of

AXES: Final = ("templates", "methods", "models", "conditions", "seeds")
"""What is multiplied, by the keys of a plan."""

KEYS: Final = (*AXES, "exclude", "settings", "budget")

MOST_RUNS: Final = 1_000_000
"""More than that is a slip."""

_LONGEST_PART: Final = 40
_NOT_IN_A_NAME: Final = re.compile(r"[^\w.+-]+")

_EXAMPLE: Final = N_("Begin with `templates: [navigate.yaml]` and `methods: [gpo, opro]`.")

_OF_THE_USER: Final = (
    *("base_url", "concurrency", "command", "url", "headers", "query", "embedding_model", "track"),
)
"""Settings that decide where something is sent, what is run, or how hard all runs press an endpoint."""


class PlanError(TemplateError):
    """A plan that cannot be used; it names every mistake with its line."""


class Cell(NamedTuple):
    """One run of a sweep: a label of every axis; an axis that the plan does not have is empty."""

    template: str
    method: str
    model: str
    condition: str
    seed: int

    @property
    def contender(self) -> "Contender":
        """What is compared: all but task and seed."""
        return Contender(self.method, self.model, self.condition)

    @property
    def label(self) -> str:
        """Its name in lists."""
        parts = (self.template, self.method, self.model, self.condition, f"seed {self.seed}")
        return ", ".join(part for part in parts if part)

    @property
    def name(self) -> str:
        """The name of its project in the folder of the sweep; stays the same when the plan grows."""
        parts = [self.template, self.method, self.model, self.condition]
        plain = [_NOT_IN_A_NAME.sub("-", part).strip(".-")[:_LONGEST_PART] for part in parts if part]
        name = ".".join((*plain, f"s{self.seed}"))
        if plain == [part for part in parts if part]:
            return name
        mark = blake2b("\n".join(parts).encode(), digest_size=3).hexdigest()
        return f"{name}-{mark}"


class Contender(NamedTuple):
    """A method with its models and its condition."""

    method: str
    model: str
    condition: str

    @property
    def label(self) -> str:
        """Its name in tables."""
        return ", ".join(part for part in self if part)


class MethodChoice(NamedTuple):
    """A method, and parameters on top of its defaults."""

    name: str
    parameters: Mapping[str, Plain]


class Condition(NamedTuple):
    """Settings and parameters of a part of the runs.

    Attributes:
        settings: By the names of their flags.
        parameters: Of the method.
        only: The labels that it is for, by axis; an axis that is missing is not restricted.
    """

    settings: Mapping[str, object] = {}
    parameters: Mapping[str, Plain] = {}
    only: Mapping[str, frozenset[str]] = {}


NO_CONDITION: Final = Condition()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan.

    Attributes:
        path: Its file; the paths of templates begin in its folder.
        text: Its text.
        templates: Paths, or names of examples, by label.
        methods: By label.
        models: The flags that choose models, by label; empty where the settings choose them.
        conditions: By label; empty where there are none.
        seeds: Each once.
        exclude: Runs that are left out: those that match one of these, by axis and label.
        settings: Of every run, by the names of their flags.
        budget: Of all runs together.
    """

    path: Path
    text: str
    templates: Mapping[str, str]
    methods: Mapping[str, MethodChoice]
    models: Mapping[str, Mapping[str, str]]
    conditions: Mapping[str, Condition]
    seeds: tuple[int, ...]
    exclude: tuple[Mapping[str, frozenset[str]], ...]
    settings: Mapping[str, object]
    budget: BudgetSettings

    @property
    def product(self) -> int:
        """How many runs there are before any is left out."""
        axes = (self.templates, self.methods, self.models or ("",), self.conditions or ("",), self.seeds)
        return math.prod(map(len, axes))

    def cells(self) -> Iterator[Cell]:
        """Every run; those of the first seed first, so that a table fills evenly."""
        for seed in self.seeds:
            for condition in self.conditions or ("",):
                for model in self.models or ("",):
                    for method in self.methods:
                        for template in self.templates:
                            cell = Cell(template, method, model, condition, seed)
                            if self._is_wanted(cell):
                                yield cell

    def condition(self, cell: Cell) -> Condition:
        """The condition of a run."""
        return self.conditions.get(cell.condition, NO_CONDITION)

    def settings_of(self, cell: Cell) -> dict[str, object]:
        """The settings that the plan gives a run, by the names of their flags."""
        of_model = self.models.get(cell.model, {})
        return {**self.settings, **self.condition(cell).settings, **of_model, "seed": cell.seed}

    def method_of(self, cell: Cell) -> MethodChoice:
        """The method of a run with all parameters that the plan gives it."""
        choice = self.methods[cell.method]
        return choice._replace(parameters={**choice.parameters, **self.condition(cell).parameters})

    def _is_wanted(self, cell: Cell) -> bool:
        only = self.condition(cell).only
        return (not only or _matches(only, cell)) and not any(_matches(one, cell) for one in self.exclude)


def _matches(wanted: Mapping[str, frozenset[str]], cell: Cell) -> bool:
    labels = dict(zip(AXES, map(str, cell), strict=True))
    return all(labels[axis] in some for axis, some in wanted.items())


def settable() -> dict[str, Setting]:
    """The settings that a plan may have, by the names of their flags."""
    groups = {Group.SEED, Group.FINAL_CHECK}
    return {
        flag: one
        for one in SETTINGS
        for flag in one.flags
        if one.group not in groups and one.path[-1] not in (*_OF_THE_USER, "model") and one.limit != "minutes"
    }


def read_plan(path: Path) -> Plan:
    """Read the plan of a sweep.

    Raises:
        PlanError: It cannot be read, or something in it is wrong.
        TemplateError: There is no such file, or it is no text.
    """
    text = read_text(path)
    try:
        root = load(text)
    except EmptyYamlError:
        raise PlanError(path.name, [Problem("error", "", 1, _("The plan is empty."), _(_EXAMPLE))]) from None
    except YamlError as error:
        problems = [Problem("error", "", one.line, one.what, one.hint) for one in error.faults]
        raise PlanError(path.name, problems) from None
    reader = _Reader(root)
    plan = reader.plan(path, text)
    if reader.problems:
        raise PlanError(path.name, sorted(reader.problems, key=lambda one: one.line))
    return plan


_Path = tuple[str | int, ...]


class _Reader:
    """One pass over a plan; `problems` has everything that is wrong."""

    def __init__(self, root: Node) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._data: dict[str, Plain] = {}
        if isinstance(root, MappingNode):
            self._data = root.data()
        else:
            self._error((), _("This is not a plan: it has no keys."), _(_EXAMPLE))

    def plan(self, path: Path, text: str) -> Plan:
        self._known(self._data, KEYS, ())
        templates, methods = self._templates(), self._methods()
        models, seeds = self._models(), self._seeds()
        for axis, found in (("templates", templates), ("methods", methods)):
            if not found and isinstance(self._root, MappingNode):
                self._error((axis,), _("The plan names no {axis}.", axis=axis), _(_EXAMPLE))
        labels: dict[str, list[str]] = {
            "templates": [*templates],
            "methods": [*methods],
            "models": [*models],
            "seeds": [*map(str, seeds)],
        }
        conditions = self._conditions(labels)
        labels["conditions"] = [*conditions]
        plan = Plan(
            path=path,
            text=text,
            templates=templates,
            methods=methods,
            models=models,
            conditions=conditions,
            seeds=seeds,
            exclude=tuple(
                self._match(one, ("exclude", number), labels)
                for number, one in enumerate(self._list("exclude", self._data.get("exclude")))
            ),
            settings=self._settings(self._data.get("settings"), ("settings",)),
            budget=self._budget(),
        )
        if plan.product > MOST_RUNS:
            what = _(
                "The plan multiplies to {n:,} runs; {most:,} are possible.", n=plan.product, most=MOST_RUNS
            )
            self._error((), what, _("Take some templates, methods, models, conditions or seeds out."))
        elif not self.problems and next(plan.cells(), None) is None:
            self._error(("exclude",), _("Every run of the plan is excluded."), _("Exclude fewer of them."))
        return plan

    def _templates(self) -> dict[str, str]:
        value = self._data.get("templates")
        found: dict[str, str] = {}
        for label, one, at in self._labelled("templates", value):
            if not isinstance(one, str) or not one.strip():
                self._error(at, _("A template is the path of a YAML file."), _(_EXAMPLE))
                continue
            name = label or Path(one).stem
            if name in found:
                hint = _(
                    "Give each a label, for example `templates: {first: a/task.yaml, second: b/task.yaml}`."
                )
                self._error(at, _("Two templates are called {name}.", name=name), hint)
            found[name] = one
        return found

    def _methods(self) -> dict[str, MethodChoice]:
        found: dict[str, MethodChoice] = {}
        hint = _(
            "Write `methods: [gpo]`, or `gpo-short: {method: gpo, set: {max_steps: 4}}` below `methods:`."
        )
        for label, one, at in self._labelled("methods", self._data.get("methods")):
            if one is None and label:
                found[label] = self._method(label, {}, at)
            elif isinstance(one, str) and one.strip():
                found[label or one] = self._method(one, {}, at)
            elif isinstance(one, dict) and label:
                self._known(one, ("method", "set"), at)
                name = one.get("method", label)
                given = self._mapping(one.get("set"), (*at, "set"))
                if isinstance(name, str):
                    found[label] = self._method(name, given, (*at, "method") if "method" in one else at)
                else:
                    self._error((*at, "method"), _("A method is named by a text."), hint)
            else:
                self._error(at, _("This is not a method."), hint)
        return found

    def _method(self, name: str, parameters: Mapping[str, Plain], at: _Path) -> MethodChoice:
        try:
            check_method(name)
        except SpotuiError as error:
            self._error(at, error.what, error.hint)
        return MethodChoice(name, parameters)

    def _models(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        hint = _(
            "Write a model id, which is for all three roles, or a mapping such as "
            "`{optimizer: gpt-4o, executor: gpt-4o-mini}`."
        )
        for label, one, at in self._labelled("models", self._data.get("models")):
            if isinstance(one, str):
                found[label or one] = self._model_flags({"model": one}, at)
            elif isinstance(one, dict) and label and one:
                self._known(one, ROLES, at)
                roles = {f"{DEFAULTS[role].short}_model": one[role] for role in ROLES if role in one}
                found[label] = self._model_flags(roles, at)
            else:
                self._error(at, _("This is not a model."), hint)
        return found

    def _model_flags(self, given: Mapping[str, Plain], at: _Path) -> dict[str, str]:
        found: dict[str, str] = {}
        for flag, value in given.items():
            try:
                found[flag] = str(convert(ModelId, value))
            except KindError as error:
                self._error(at, _("The model {what}.", what=error.what), error.hint)
        return found

    def _seeds(self) -> tuple[int, ...]:
        value = self._data.get("seeds")
        found: list[int] = []
        for number, one in enumerate(self._list("seeds", value) if value is not None else [0]):
            try:
                found.append(int(str(convert(Seed, one))))
            except KindError as error:
                self._error(("seeds", number), _("A seed {what}.", what=error.what), error.hint)
        return tuple(dict.fromkeys(found))

    def _conditions(self, labels: Mapping[str, list[str]]) -> dict[str, Condition]:
        found: dict[str, Condition] = {}
        value = self._data.get("conditions")
        if value is not None and not isinstance(value, dict):
            hint = _("Write a label and settings, for example `wide: {settings: {width: 4}}`.")
            self._error(("conditions",), _("`conditions` should be a mapping."), hint)
            return found
        for label, one in (value or {}).items():
            at: _Path = ("conditions", label)
            given = self._mapping(one, at)
            self._known(given, ("settings", "set", "only"), at)
            found[label] = Condition(
                self._settings(given.get("settings"), (*at, "settings")),
                self._mapping(given.get("set"), (*at, "set")),
                self._match(given.get("only"), (*at, "only"), labels) if given.get("only") else {},
            )
        return found

    def _match(self, value: Plain, at: _Path, labels: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
        """The runs that a line of `only` or `exclude` means."""
        found: dict[str, frozenset[str]] = {}
        if not isinstance(value, dict) or not value:
            hint = _("Write for example `{methods: opro, seeds: [1, 2]}`.")
            self._error(at, _("This does not say which runs it means."), hint)
            return found
        self._known(value, tuple(labels), at)
        for axis, some in value.items():
            wanted = [str(one) for one in (some if isinstance(some, list) else [some])]
            for one in wanted if axis in labels else ():
                if one not in labels[axis]:
                    meant = nearest(one, labels[axis])
                    hint = (
                        _("Did you mean {meant}?", meant=meant)
                        if meant
                        else _("Possible here: {known}.", known=", ".join(labels[axis]))
                    )
                    self._error(
                        (*at, axis), _("{one} is not among the plan's {axis}.", one=one, axis=axis), hint
                    )
            if axis in labels:
                found[axis] = frozenset(wanted)
        return found

    def _settings(self, value: Plain, at: _Path) -> dict[str, object]:
        given, known = self._mapping(value, at), settable()
        found: dict[str, object] = {}
        for name, one in given.items():
            setting = known.get(name)
            if setting is None:
                self._error((*at, name), *_refusal(name, known))
                continue
            try:
                converted = convert(setting.kind, one)
                found[name] = "none" if converted is None else converted
            except KindError as error:
                self._error((*at, name), error.about(name), error.hint)
        return found

    def _budget(self) -> BudgetSettings:
        given = self._mapping(self._data.get("budget"), ("budget",))
        kinds = {one.path[-1]: one.kind for one in SETTINGS if one.group is Group.BUDGET}
        self._known(given, tuple(kinds), ("budget",))
        found: dict[str, object] = {}
        for name, kind in kinds.items():
            try:
                found[name] = convert(kind, given.get(name))
            except KindError as error:
                self._error(("budget", name), error.about(name), error.hint)
        return msgspec.convert(found, BudgetSettings)

    def _labelled(self, axis: str, value: Plain) -> Iterator[tuple[str, Plain, _Path]]:
        """The entries of an axis: a list, whose items have no label, or a mapping of labels."""
        if isinstance(value, dict):
            for label, one in value.items():
                yield label, one, (axis, label)
        else:
            for number, one in enumerate(self._list(axis, value)):
                yield "", one, (axis, number)

    def _list(self, key: str, value: Plain) -> list[Plain]:
        if value is None or isinstance(value, list):
            return value or []
        if isinstance(value, dict):
            self._error((key,), _("`{key}` should be a list.", key=key), _("Write each item behind a dash."))
            return []
        return [value]

    def _mapping(self, value: Plain, at: _Path) -> dict[str, Plain]:
        if value is None or isinstance(value, dict):
            return value or {}
        what = _("`{key}` should be a mapping of names and values.", key=at[-1])
        self._error(at, what, _("Write each on a separate line, as `name: value`."))
        return {}

    def _known(self, value: Mapping[str, Plain], known: tuple[str, ...], at: _Path) -> None:
        for key in value:
            if key not in known:
                meant = nearest(key, known)
                hint = (
                    _("Did you mean `{meant}`?", meant=meant)
                    if meant
                    else _("Possible here: {known}.", known=", ".join(known))
                )
                self._error((*at, key), _("`{key}` is not a key of a plan here.", key=key), hint)

    def _error(self, at: _Path, what: str, hint: str) -> None:
        key = ".".join(map(str, at))
        self.problems.append(Problem("error", key, line_of(self._root, *at), what, hint))


def _refusal(name: str, known: Mapping[str, Setting]) -> tuple[str, str]:
    """Why a plan may not have a setting, and what to do instead."""
    setting = next((one for one in SETTINGS if name in one.flags), None)
    if setting is None:
        meant = nearest(name, known)
        what = _("{name} is not a setting.", name=name)
        return what, _("Did you mean {meant}?", meant=meant) if meant else _("'spotui settings' lists them.")
    if setting.path[-1] == "model":
        return _("Models are chosen below `models:`."), _("Write it there, with a label.")
    if setting.group is Group.SEED:
        return _("Seeds are listed below `seeds:`."), _("Write it there.")
    if setting.path[-1] in _OF_THE_USER:
        what = _("A plan must not set {name}: it comes from whoever starts the sweep.", name=name)
        return what, _("Type it, as --{flag}, or write it into your config file.", flag=option(name))
    return _("{name} has no meaning in a sweep.", name=name), _("Delete the line.")
