"""What a method is, apart from what it does."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from traceback import walk_tb
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import UNSET, Meta

from spotui.domain.declared import Block, Column, Declared, Note
from spotui.domain.errors import SpotuiError
from spotui.domain.messages import Position
from spotui.domain.rows import Row, braced
from spotui.domain.tags import quote_tags
from spotui.engine import Engine
from spotui.engine.meta_prompts import OF_ENGINE, MetaPrompt
from spotui.lang import N_, _

HEADINGS: Final = frozenset(
    {
        "round",
        "verdict",
        "votes",
        "win rate",
        "score",
        "interval",
        "prompts",
        "words",
        "tokens",
        "cost",
        "USD",
        "time",
        "modification",
    }
)
"""Columns that the tables of rounds have for every method."""


PromptPosition = Annotated[Position, Meta(description=N_("position of the prompt when a row is asked"))]
QaLabels = Annotated[bool, Meta(description=N_("whether Q: and A: mark question and answer"))]
"""Parameters of every method that asks rows."""


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a method without parameters."""


class Package(msgspec.Struct, frozen=True):
    """Another package that a method runs, and that not everybody has installed.

    Attributes:
        name: Its name.
        extra: The extra of spotui that brings it.
        tested: The beginnings of the versions that the method was tested with.
    """

    name: str
    extra: str
    tested: tuple[str, ...]

    def check(self, method: str) -> None:
        """Make sure that a version is there that the method was tested with.

        Args:
            method: The name of the method.

        Raises:
            SpotuiError: It is missing, or another one.
        """
        from importlib.metadata import PackageNotFoundError, version

        install = _("Install it: pip install 'spotui[{extra}]'", extra=self.extra)
        tested = " or ".join(f"{one}.x" for one in self.tested)
        try:
            found = version(self.name)
        except PackageNotFoundError:
            what = _(
                "The method {method} needs {name}, which is not installed.", method=method, name=self.name
            )
            raise SpotuiError(what, install) from None
        if not any(found == one or found.startswith(f"{one}.") for one in self.tested):
            what = _(
                "The method {method} was tested with {name} {tested}, and {found} is installed.",
                method=method,
                name=self.name,
                tested=tested,
                found=found,
            )
            raise SpotuiError(what, install)


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A method: what it does, its parameters, where it comes from.

    Attributes:
        optimize: Takes the engine and the parameters, and returns when the wanted rounds are done.
        summary: What it does, one sentence.
        source: Where it was published.
        parameters: The type of the parameters: a struct whose fields all have defaults. The fields
            `prompt_position`, `qa_labels` and `few_shot_demos`, if it has them, say how a row is asked.
        defaults: Parameters that differ from those of the struct, for a preset.
        scores: Whether it scores prompts on rows; it gets the template's rows, split.
        rounds: How many rounds it takes, the seed round included, given its parameters and the number of
            train rows; None for a method that runs for a given number of rounds.
        length: The parameter that says how many rounds follow the seed round, which a number of rounds that
            somebody chose sets; empty when there is none.
        calls: How many calls it makes, given its parameters and the numbers of train and eval rows, without
            marks and the test at the end; None for a method that cannot tell.
        embeds: Whether it asks the embedding model, given its parameters; None for never.
        meta_prompts: The meta-prompts that it uses; a run keeps their texts, and a user can replace each.
        aliases: Other names of parameters, and other words for their values.
        elsewhere: Names that its reference has for what is no parameter here, with where to set that.
        edits: Whether it edits the prompt that it starts from, given its parameters, so that there has to be
            one; None for a method that writes prompts anew.
        asks: The roles whose models it asks, given its parameters, marks aside; None for all three.
        notes: The kinds of notes that models write in its rounds.
        columns: The columns that it adds to the tables of rounds.
        blocks: The lists that it shows in the log.
        width: The parameter that says how many candidates a round has, which `--width` sets; empty when there
            is none.
        paper: The parameters with which it is its paper's algorithm, where a default differs.
        former: The parameters that runs of an edition before this one had, where a default has changed since.
        package: Another package that it runs; None for a method that needs none.
    """

    optimize: Callable[["Engine", Any], Awaitable[None]]
    summary: str = ""
    source: str = ""
    parameters: type[msgspec.Struct] = NoParameters
    defaults: Mapping[str, Any] = {}
    scores: bool = False
    rounds: Callable[[Any, int], int] | None = None
    calls: Callable[[Any, int, int], "Calls"] | None = None
    embeds: Callable[[Any], bool] | None = None
    length: str = ""
    meta_prompts: tuple[MetaPrompt, ...] = ()
    aliases: Mapping[str, "Alias"] = {}
    elsewhere: Mapping[str, str] = {}
    edits: Callable[[Any], bool] | None = None
    asks: Callable[[Any], tuple[str, ...]] | None = None
    notes: tuple[Note, ...] = ()
    columns: tuple[Column, ...] = ()
    blocks: tuple[Block, ...] = ()
    width: str = ""
    paper: Mapping[str, Any] = {}
    former: Mapping[int, Mapping[str, Any]] = {}
    package: Package | None = None

    def before(self, edition: int) -> dict[str, Any]:
        """The parameters of a run of this edition that does not name them."""
        older = [values for number, values in sorted(self.former.items()) if edition < number]
        return {name: value for values in reversed(older) for name, value in values.items()}

    @property
    def declared(self) -> Declared:
        """All that its rounds show."""
        return Declared(self.notes, self.columns, self.blocks)


class Races(msgspec.Struct, frozen=True):
    """Races on rows that are alike.

    Attributes:
        times: How many there are.
        candidates: How many race in each.
        keep: How many of them are asked all rows at least.
        rows: The rows.
    """

    times: int
    candidates: int
    keep: int
    rows: int


class Calls(msgspec.Struct, frozen=True):
    """About how many calls a run makes.

    Attributes:
        proposals: Of the optimizer, for prompts.
        notes: Of optimizer and evaluator, for reflections, gradients and summaries.
        answers: Of the executor.
        steps: Rounds, which wait for each other.
        embeddings: Of the embedding model.
        tests: Prompts that are scored on the test rows: usually the seed and the best.
        races: The races that the answers are counted for as if every row was asked.
    """

    proposals: int
    notes: int
    answers: int
    steps: int
    embeddings: int = 0
    tests: int = 2
    races: tuple[Races, ...] = ()


class Alias(msgspec.Struct, frozen=True):
    """Another name of a parameter.

    Attributes:
        name: The parameter.
        words: Other words for its values. UNSET leaves the parameter as it is; a mapping sets several
            parameters at once.
        usual: The value that a switch turns on when nothing else gives one.
    """

    name: str
    words: dict[str, Any] = {}
    usual: Any = UNSET

    @property
    def is_switch(self) -> bool:
        """Whether it takes its own words only, and beats the parameters that it switches on or off."""
        return any(word is UNSET or isinstance(word, dict) for word in self.words.values())


_HOOKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "rounds": (lambda found: isinstance(found, int) and found > 0, N_("a number of rounds")),
    "calls": (lambda found: isinstance(found, Calls), N_("a Calls(…)")),
    "embeds": (lambda found: isinstance(found, bool), N_("True or False")),
    "edits": (lambda found: isinstance(found, bool), N_("True or False")),
    "asks": (
        lambda found: isinstance(found, tuple) and {*found} <= {"optimizer", "evaluator", "executor"},
        N_("a tuple of roles"),
    ),
}
"""The functions of a method besides `optimize`, and what each gives."""


def of_function(optimize: Callable[["Engine"], Awaitable[None]]) -> Method:
    """The method that a function of the engine alone is."""
    return Method(
        optimize=lambda engine, _: optimize(engine), summary=(optimize.__doc__ or "").partition("\n")[0]
    )


def declaration_fault(method: Method) -> str:
    """The fault of a method as another package declares it, one sentence; empty when there is none."""
    engine = {one.name for one in OF_ENGINE}
    for one in cast("tuple[object, ...]", method.meta_prompts):
        if not isinstance(one, MetaPrompt):
            return _(
                "its meta-prompt {one} has no text. Declare it as MetaPrompt(name, text, slots).",
                one=repr(one),
            )
        if one.name in engine:
            return _(
                "its meta-prompt '{name}' has the name of one of spotui. Choose another name.", name=one.name
            )
    for what, kind, written in (
        ("note", Note, "Note(name)"),
        ("column", Column, "Column(name, meaning)"),
        ("block", Block, "Block(name, title)"),
    ):
        for one in cast("tuple[object, ...]", getattr(method, f"{what}s")):
            if not isinstance(one, kind):
                return _(
                    "its {what} {one} is only a name. Declare it as {written}.",
                    what=what,
                    one=repr(one),
                    written=written,
                )
    for column in method.columns:
        if column.name in HEADINGS:
            return _(
                "its column '{name}' is one that every table of rounds has. Choose another name.",
                name=column.name,
            )
    return ""


def guarded(name: str, method: Method) -> Method:
    """A method whose functions, apart from `optimize`, fail with an error that names method and function.

    Args:
        name: What the method is called.
        method: The method.
    """
    hooks = {
        hook: _guarded(name, hook, call) for hook in _HOOKS if (call := getattr(method, hook)) is not None
    }
    return msgspec.structs.replace(method, **hooks) if hooks else method


def _guarded(name: str, hook: str, call: Callable[..., Any]) -> Callable[..., Any]:
    is_result, wanted = _HOOKS[hook]

    def guard(*given: Any) -> Any:
        try:
            result = call(*given)
        except SpotuiError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of another package can raise anything
            what = _(
                "The function '{hook}' of the method '{name}' failed with {fault}.",
                hook=hook,
                name=name,
                fault=fault_in_words(error),
            )
        else:
            if is_result(result):
                return result
            what = _(
                "The function '{hook}' of the method '{name}' gave {result}, which is not {wanted}.",
                hook=hook,
                name=name,
                result=f"{result!r:.60}",
                wanted=_(wanted),
            )
        raise SpotuiError(what, _("Fix or update its package."))

    return guard


def fault_in_words(error: BaseException) -> str:
    """An unexpected error in one line: its class, its message, and where in the method's package it happened.

    The place is the innermost line of the method's package, the first in the traceback, or of a metric.
    """
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = [
        (frame.f_globals.get("__name__", ""), frame.f_code.co_filename, line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    package = next(filter(None, (_package(name) for name, _, _ in frames)), "")
    lines = [(file, line) for name, file, line in frames if _package(name) in {package, "spotui.metrics"}]
    if isinstance(error, SyntaxError) or not lines:  # its message says where
        return what
    file, line = lines[-1]
    return f"{what.removesuffix('.')} ({file}, line {line})"


def _package(module: str) -> str:
    """The package of a method or a metric that a module is in; empty for Python's and the rest of spotui."""
    top = module.partition(".")[0]
    if top == "spotui":
        return next((one for one in ("spotui.methods", "spotui.metrics") if module.startswith(f"{one}.")), "")
    return "" if top in sys.stdlib_module_names else top


FENCES: Final = (
    *("analyse", "modification", "prompt", "current_prompt", "other_prompt", "past_prompts", "summary"),
    *("past_reflections", "reflection", "examples", "failures", "failure", "latest", "task", "criteria"),
    "gradients",
)
"""Tags of the meta-prompts: in texts from outside they must not look like tags."""

CHARACTERS_SHOWN: Final = 1500
"""Of one input or output of a row; a whole document would leave no room for the others."""


def fenced(text: str) -> str:
    """A text from outside, in which nothing looks like a tag."""
    return quote_tags(text, FENCES)


def shown(text: str) -> str:
    """A text of a row, fenced and cut where it is long."""
    return fenced(text if len(text) <= CHARACTERS_SHOWN else f"{text[:CHARACTERS_SHOWN]} […]")


def shown_input(row: Row) -> str:
    """What a row asks, without any prompt."""
    return shown("\n".join([row.asked, *(f"{name}: {text}" for name, text in row.slots.items())]).strip())


def shown_references(engine: "Engine", row: Row) -> str:
    """What a row expects."""
    return shown(" | ".join(row.references)) or engine.task.say("not known")


def points(score: float) -> str:
    """A score as it is shown: of 100."""
    return f"{100 * score:.1f}".removesuffix(".0")


def rules(engine: Engine) -> list[str]:
    """What every new prompt of a run has to keep to, a sentence each."""
    sentences = []
    if engine.task.word_limit is not None:
        limit = engine.task.word_limit
        sentences.append(engine.task.say("It may have at most {limit} words.", limit=limit))
    if slots := engine.task.slots:
        sentences.append(
            engine.task.say(
                "It must hold {slots} exactly so: each stands for a part of the input.",
                slots=braced(sorted(slots)),
            )
        )
    return sentences
