"""One preparation: template, settings, method and parameters become one value that everything else uses.

Runs, estimates, scores, races and judge-checks start from it; runs/snapshots.py keeps it with a project.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.rows import slot_names
from spotui.engine import Task
from spotui.engine.asking import Asker
from spotui.engine.context import Context
from spotui.engine.layout import Layout
from spotui.engine.marking import Marker
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.task import EDITION, Start
from spotui.lang import N_, _
from spotui.llm.door import Door
from spotui.methods import DEFAULT_METHOD, load_method, meta_prompts
from spotui.methods.method import Method
from spotui.methods.parameters import read_parameters
from spotui.runs.task import (
    attachments_of,
    criteria_for,
    draw_questions,
    is_judged,
    layout_of,
    marker_for,
    questions_of,
    read_rows,
    slots_of,
    wording_of,
)
from spotui.runs.trust import StartMetric, start_trusted
from spotui.settings.resolve import Resolution, SourceKind
from spotui.settings.table import ROLES, RunSettings, is_program
from spotui.settings.values import Racing
from spotui.templates.data.attachments import Attachments
from spotui.templates.data.load import Dataset
from spotui.templates.language import language_of
from spotui.templates.model import Template
from spotui.templates.sections import (
    is_paper,
    judged_on,
    metric_of,
    parameters_of,
    requirements_of,
    response_format_of,
    tools_of,
)

Purpose = Literal["run", "score", "headroom", "judge-check", "labels", "tune", "rows"]
"""What something is prepared for: it decides which models are asked, and what has to be there."""

EMBEDDING_HINT: Final = N_(
    "Choose one with --embedding-model, for example text-embedding-3-small, or with run.embedding_model in "
    "the config file; relevance=bm25 needs none."
)


class Prepared(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A template with the method, the parameters and the settings that are used on it.

    Attributes:
        path: The template's file; its rows and a custom metric may lie in the same folder.
        text: The template's text, verbatim.
        template: The template.
        name: The method's name.
        method: The method.
        given: Parameters that differ from the method's defaults, as they were given.
        parameters: All parameters.
        settings: Without the models that are never asked.
        meta: The meta-prompts.
        rows: The rows, split; None when nothing reads any.
        questions: Positions of the questions that every round asks.
        held_out: Positions of the questions that no round asks.
        final_test: Whether the run tests its best prompt on the test rows itself.
        edition: The edition of how its method words what it asks.
        starts: Prompts that take the place of the method's first proposals.
        run: The id of the project's run; empty when there is no project yet.
        files: The images and files that go with questions.
    """

    path: Path
    text: str
    template: Template
    name: str
    method: Method
    given: dict[str, Any]
    parameters: msgspec.Struct
    settings: RunSettings
    meta: MetaPrompts
    rows: Dataset | None
    questions: tuple[int, ...]
    held_out: tuple[int, ...]
    final_test: bool = True
    edition: int = EDITION
    starts: tuple[Start, ...] = ()
    run: str = ""
    files: Attachments

    @cached_property
    def task(self) -> Task:
        """The template as methods and judges see it."""
        is_filled = self.edition > 1
        pool = questions_of(self.template, self.rows, self.files.attach, filled=is_filled)
        slots = slots_of(self.template) if is_filled else None
        if slots is None and self.method.scores:  # these have always kept them
            slots = slot_names(self.template.prompt)
        return Task(
            prompt=self.template.prompt,
            requirements=self._requirements,
            questions=tuple(pool[index] for index in self.questions),
            held_out=tuple(pool[index] for index in self.held_out),
            word_limit=self.template.count,
            reference_answers=self.settings.reference_answers,
            criteria=criteria_for(self.template, self.edition),
            rows=self.rows,
            seed=self.settings.seed,
            edition=self.edition,
            slots=slots,
            layout=self.layout,
            judged_on=judged_on(self.template) or "conversation",
            parts=self.template.parts,
            copies_allowed=self.settings.copies == "allowed",
            starts=self.starts,
            prefer=self.settings.prefer,
            language=wording_of(self.template, self.edition),
        )

    @property
    def _requirements(self) -> str:
        """What answers have to be like; earlier editions knew no criteria here."""
        return requirements_of(self.template) if self.edition > 5 else self.template.requirements

    @cached_property
    def layout(self) -> Layout:
        """How prompt and row become a message."""
        settings = self.settings
        return layout_of(self.template, settings.position, self.parameters, self.rows, settings.seed)

    def asker(self, door: Door) -> Asker:
        """Asks the models through a door, with all that the template says of requests."""
        return Asker(
            door,
            self.settings.roles,
            self.settings.embedding_model or "",
            edition=self.edition,
            language=wording_of(self.template, self.edition),
            tools=tools_of(self.template),
            response_format=response_format_of(self.template),
            several=bool(self.template.parts),
            batched=self.settings.batched,
        )

    @property
    def racing(self) -> Racing:
        """The rule of races on rows; runs of earlier editions ask every row."""
        return self.settings.racing if self.edition > 5 else "none"

    @property
    def is_marked(self) -> bool:
        """Whether answers to rows are marked: a method that only compares them may still report marks."""
        template = self.template
        return self.rows is not None and bool(self.method.scores or template.metric or template.criteria)

    @property
    def metric(self) -> str:
        """The name of what marks the answers; empty when nothing does."""
        choice = metric_of(self.template) if self.is_marked else None
        return choice.name if choice else "judge" if self.is_marked else ""

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows of each split; empty when there are none."""
        rows = self.rows
        if rows is None:
            return {}
        return {"train": len(rows.train), "eval": len(rows.eval), "test": len(rows.test)}

    def marker(self, start_metric: StartMetric = start_trusted) -> Callable[[Context], Marker]:
        """Makes what marks the answers to rows.

        Raises:
            MetricError: The metric cannot be made.
            UntrustedError: The user has not trusted the file of a custom metric as it is.
        """
        return marker_for(self.template, self.path.parent, start_metric, edition=self.edition)


def prepare(
    template: Template,
    text: str,
    path: Path,
    resolution: Resolution,
    *,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    purpose: Purpose = "run",
    prompt_folders: Sequence[Path] = (),
) -> Prepared:
    """Settle what is done with a template.

    Args:
        template: The template.
        text: Its text, which a project keeps, so that later edits do not change its run.
        path: Its file; the paths in it begin in its folder.
        resolution: The settings, and where each came from.
        method: Another method than the template's.
        parameters: Parameters on top of the template's.
        purpose: What it is prepared for.
        prompt_folders: Folders with meta-prompts of the user, the one that takes precedence first.

    Raises:
        SpotuiError: The method is unknown or does not take the parameters, it lacks a model or a prompt to
            edit, a row cannot be used, or a meta-prompt is broken.
    """
    name = method or template.method or DEFAULT_METHOD
    chosen = load_method(name)
    given = parameters_of(template) if method in (None, template.method) else {}
    if is_paper(template):
        if template.method not in (None, DEFAULT_METHOD):
            raise SpotuiError(
                _("The template has `spo: paper` and `method: {method}`.", method=template.method),
                _("Delete one of the two lines."),
            )
        given = {**chosen.paper, **given} if name == DEFAULT_METHOD else given
    given = _with_width(given, name, chosen, resolution) | dict(parameters or {})
    _refuse_two_places(template, resolution)
    if purpose != "rows":
        _refuse_parts_for_a_model(template, resolution.settings)
    settings, rounds_are_chosen = resolution.settings, resolution.is_set("run.max_rounds")
    closing = int(settings.demonstrations is not None)
    if chosen.length and rounds_are_chosen and settings.max_rounds > 1 + closing:
        given = {chosen.length: settings.max_rounds - 1 - closing, **given}
    read = read_parameters(name, chosen, given)
    if purpose == "run" and not template.prompt and chosen.edits is not None and chosen.edits(read):
        raise SpotuiError(
            _("The prompt is empty, and {name} improves the prompt that it starts from.", name=name),
            _("Write a prompt, or choose a method that writes new ones: spo, gpo, ape or opro."),
        )
    if purpose == "run":
        _refuse_demonstrations(name, chosen, read, template, asked=bool(closing))
    if purpose == "run" and chosen.package is not None:
        chosen.package.check(name)
    settings = _with_asked_models(settings, purpose, template, chosen, read)
    meta = meta_prompts(*prompt_folders, method=chosen, language=language_of(template))
    is_marked = template.metric is not None or bool(template.criteria)
    scores = (
        purpose == "score" or (purpose == "run" and chosen.scores) or (purpose == "headroom" and is_marked)
    )
    rows, files = None, attachments_of(path.parent)
    if scores or template.data is not None:
        rows = read_rows(template, path.parent, seed=settings.seed, attach=files.attach)
        if purpose == "run" and chosen.rounds is not None and not rounds_are_chosen:
            settings = msgspec.structs.replace(
                settings, max_rounds=chosen.rounds(read, len(rows.train)) + closing
            )
    questions, held_out = draw_questions(pool_size(template, rows), settings.sample, settings.seed)
    return Prepared(
        path=path,
        text=text,
        template=template,
        name=name,
        method=chosen,
        given=given,
        parameters=read,
        settings=settings,
        meta=meta,
        rows=rows,
        questions=questions,
        held_out=()
        if rows is not None
        else tuple(index for index in held_out if not template.qa[index].synthetic),
        files=files,
    )


def is_marked(template: Template) -> bool:
    """Whether a template says how answers are marked; otherwise a judge can only compare them."""
    return template.metric is not None or bool(template.criteria)


def _with_width(
    given: Mapping[str, Any], name: str, method: Method, resolution: Resolution
) -> dict[str, Any]:
    """The template's parameters with the number of candidates a round that the settings ask for.

    Raises:
        SpotuiError: The method has no such number, and it was asked for with this run.
    """
    width, source = resolution.settings.width, resolution.sources.get("run.width")
    if width is None:
        return dict(given)
    is_of_config = source is not None and source.kind is SourceKind.CONFIG
    if not method.width:
        if is_of_config:
            return dict(given)
        raise SpotuiError(
            _("{name} has no number of candidates a round that a width could set.", name=name),
            _("Leave out --width. `spotui methods {name}` lists its parameters.", name=name),
        )
    return {method.width: width, **given} if is_of_config else {**given, method.width: width}


def _refuse_two_places(template: Template, resolution: Resolution) -> None:
    """Make sure that the prompt's place is said once.

    Raises:
        SpotuiError: The template has messages around the prompt, and a position is given as well.
    """
    source = resolution.sources.get("run.position")
    is_said = source is not None and source.kind not in (SourceKind.CONFIG, SourceKind.DEFAULT)
    if template.messages is not None and is_said:
        raise SpotuiError(
            _("The template's `messages` say where the prompt stands, and so does the position."),
            _("Delete one of them: `position` ({source}) or `messages`.", source=source),
        )


def _refuse_demonstrations(
    name: str, method: Method, parameters: msgspec.Struct, template: Template, *, asked: bool
) -> None:
    """Make sure that demonstrations can be drawn and shown, where a run tries any.

    Raises:
        SpotuiError: Nothing is marked, the method draws demonstrations itself, or there are several prompts.
    """
    draws = "demonstrations" in parameters.__struct_fields__
    if asked and draws:
        raise SpotuiError(
            _("{name} draws demonstrations itself, and no round after it tries more.", name=name),
            _("Set its parameter instead: --set demonstrations=4"),
        )
    if asked and not method.scores:
        raise SpotuiError(
            _("{name} marks no answers, so it finds no solved rows to demonstrate.", name=name),
            _("Leave out --demonstrations, or use a method that scores rows, for example gpo or fewshot."),
        )
    if template.parts and (asked or draws):
        raise SpotuiError(
            _("Demonstrations are for one prompt, and the template has several."),
            _("Leave out --demonstrations, or use a method that writes prompts, for example gepa."),
        )


def _refuse_parts_for_a_model(template: Template, settings: RunSettings) -> None:
    """Make sure that several prompts go to something that knows what to do with each.

    Raises:
        SpotuiError: The executor is a model.
    """
    model = settings.roles.executor.model
    if template.parts and not is_program(model):
        raise SpotuiError(
            _("`prompts` are those of a program, and the executor is the model {model}.", model=model),
            _("Name the program, e.g. `executor: {command: [python, agent.py]}`, or write one `prompt`."),
        )


def _with_asked_models(
    settings: RunSettings, purpose: Purpose, template: Template, method: Method, parameters: msgspec.Struct
) -> RunSettings:
    """The settings without the models that are never asked.

    Raises:
        SpotuiError: A run needs an embedding model, and none was chosen.
        TemplateError: The template's metric is wrong.
    """
    embeds = purpose == "run" and method.embeds is not None and method.embeds(parameters)
    if embeds and settings.embedding_model is None:
        raise SpotuiError(
            _("relevance: embedding needs an embedding model, and none is chosen."), _(EMBEDDING_HINT)
        )
    if not embeds:
        settings = msgspec.structs.replace(settings, embedding_model=None)
    asked: set[str]
    match purpose:
        case "judge-check":
            asked = {"evaluator", "executor"}
        case "labels":
            asked = {"evaluator"}
        case "tune":
            asked = {"evaluator", "optimizer"}
        case "score":
            asked = {"executor"}
        case "headroom":
            asked = {"optimizer", "executor"} if is_marked(template) else set(ROLES)
        case "rows":
            asked = {"optimizer"}
        case "run":
            asked = set(ROLES if method.asks is None else method.asks(parameters))
    if (purpose in ("run", "score") or (purpose == "headroom" and is_marked(template))) and is_judged(
        template
    ):
        asked.add("evaluator")
    return settings.asking(*(role for role in ROLES if role in asked))


def pool_size(template: Template, rows: Dataset | None) -> int:
    """The number of questions that a run can ask."""
    return len(template.qa) if rows is None or template.data is None else len(rows.train)
