"""The form of a template: each of its texts, and the rows it is tried on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, Literal

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from spotui.lang import N_, _, ngettext
from spotui.templates.model import QA, Template
from spotui.tui.method_screen import MethodChoice, MethodLine, typed
from spotui.tui.template.editor import Field
from spotui.view.template_text import Sizes

Change = Literal["add", "remove", "up", "down"]


class RowList(OptionList):
    """The list in which questions are chosen, added, removed and reordered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,plus", "want('add')", "new question", id="questions.add"),
        Binding("x,delete", "want('remove')", "remove", id="questions.remove"),
        Binding("K,shift+up", "want('up')", "move up", id="questions.up"),
        Binding("J,shift+down", "want('down')", "move down", id="questions.down"),
    ]

    DEFAULT_CSS = """
    RowList {
        height: auto; min-height: 3; max-height: 12; padding: 0 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    @dataclass
    class Wanted(Message):
        """Somebody wants the list changed."""

        change: Change

    def __init__(self) -> None:
        super().__init__(markup=False, classes="framed")
        self._labels: list[str] = []

    def show(self, rows: Sequence[QA], selected: int) -> None:
        """Show the questions; only what changed is written anew, and the cursor moves only in a new list.

        Args:
            rows: The questions.
            selected: Where the cursor is put in a new list. In the same list it may be ahead of what others
                know of it.
        """
        labels = [f"{number}  {' '.join(row.question.split()) or '…'}" for number, row in enumerate(rows, 1)]
        if len(labels) == len(self._labels):
            for place, (old, new) in enumerate(zip(self._labels, labels, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(place, new)
        else:
            self.set_options([Option(label) for label in labels])
            self.highlighted = selected if rows else None
        self._labels = labels
        self.border_title = ngettext("{n:,} question", "{n:,} questions", len(rows))

    def action_want(self, change: Change) -> None:
        """Ask for a change."""
        self.post_message(self.Wanted(change))


_NO_METHOD = N_("spo, the default")
_INPUTS = (
    ("position", N_("Position of the prompt (empty = the method's)"), N_("e.g. system")),
    ("data", N_("Data file (empty = the questions below)"), N_("e.g. rows.jsonl")),
    ("split", N_("Split of the rows"), N_("e.g. train 48, eval 48, test 144 (empty = 1:1:3)")),
    ("metric", N_("Metric (empty = the judge compares answers)"), N_("e.g. number")),
)
_ELSEWHERE = N_("set in the YAML")


class TemplateForm(VerticalScroll, can_focus=False):
    """Prompt, requirements, word limit, method, rows, metric and questions of a template.

    It never changes the text itself: what is typed is passed on as a template, and what a template says is
    shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "add_question", "new question", id="form.add_question"),
    ]

    DEFAULT_CSS = """
    TemplateForm {
        height: 1fr;
        layout: vertical;
        & > Vertical { height: auto; }
        & Input, & MethodLine, & MethodLine:focus {
            height: 3; padding: 0 1; color: $foreground; background: $background;
        }
        & #broken { display: none; height: auto; padding: 0 1; color: $text-warning; }
        &.-broken-rows { & #broken { display: block; } & RowList, & #question, & #answer { display: none; } }
        &.-no-rows { & #question, & #answer { display: none; } }
    }
    """

    @dataclass
    class Edited(Message):
        """Somebody typed something else."""

        form: "TemplateForm"
        template: Template

    def __init__(self) -> None:
        super().__init__()
        self._template = Template(prompt="")
        self._selected = 0
        self._sizes = Sizes()
        self._is_shown = False
        self._is_filled = self._is_remade = False
        self._unheard = 0

    def compose(self) -> ComposeResult:
        """What the method works on, and what it is tried on."""
        with Vertical():
            yield Field(_("Prompt"), id="prompt")
            yield Field(_("Requirements for a good answer"), id="requirements")
            count = Input(
                id="count", restrict=r"[0-9]{0,9}", placeholder=_("empty = no limit"), classes="framed"
            )
            count.border_title = _("Word limit of the prompt")
            yield count
            method = MethodLine(_(_NO_METHOD))
            method.add_class("framed")
            method.border_title = _("Method and parameters")
            yield method
            for name, label, example in _INPUTS:
                line = Input(id=name, placeholder=_(example), classes="framed")
                line.border_title = _(label)
                yield line
        with Vertical():
            yield Static(_("Some questions cannot be read. Fix them in the YAML first."), id="broken")
            yield RowList()
            yield Field(_("Question"), id="question")
            yield Field(_("Reference answer (optional)"), id="answer")

    def on_mount(self) -> None:
        """A cursor that blinks sends bytes for ever."""
        for one in self.query(Input):
            one.cursor_blink = False

    async def relabel(self) -> None:
        """Make the fields again in the language that is used now, with what they held."""
        self._is_remade = True  # neither do its fields say anything meanwhile, nor can they be filled
        await self.recompose()
        self.on_mount()
        self._is_filled = self._is_remade = False
        self._fill()

    def show(self, template: Template, sizes: Sizes, *, can_edit_rows: bool = True) -> None:
        """Show what a template says; what is shown already is left alone, and what is being typed wins.

        Args:
            template: The template.
            sizes: Knows how long each text is.
            can_edit_rows: Whether its questions may be changed here.
        """
        self._sizes = sizes
        self.set_class(not can_edit_rows, "-broken-rows")
        if self._is_shown and (self._unheard or self._is_remade or self._typed() != self._template):
            return
        self._is_shown = True
        self._template = template
        self._selected = max(0, min(self._selected, len(template.qa) - 1))
        self._fill()

    def focus_first(self) -> None:
        """Put the cursor into the prompt."""
        self.query_one("#prompt").focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """A text was typed in, or filled in."""
        event.stop()
        self._take()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A line was typed in, or filled in."""
        event.stop()
        self._take()

    def on_method_line_chosen(self, event: MethodLine.Chosen) -> None:
        """Another method was chosen."""
        event.stop()
        told = dict(event.choice.parameters) or None
        self._tell(msgspec.structs.replace(self._template, method=event.choice.method, parameters=told))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another question is to be edited."""
        event.stop()
        if event.option_index < len(self._template.qa):
            self._selected = event.option_index
            self._fill()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Edit the question."""
        event.stop()
        self._edit_question()

    def on_row_list_wanted(self, event: RowList.Wanted) -> None:
        """Add, remove or move a question."""
        event.stop()
        rows, here = list(self._template.qa), self._selected
        match event.change:
            case "add":
                here = here + 1 if rows else 0
                rows.insert(here, QA(""))
            case "remove" if rows:
                del rows[here]
            case "up" if here > 0:
                rows.insert(here - 1, rows.pop(here))
                here -= 1
            case "down" if here + 1 < len(rows):
                rows.insert(here + 1, rows.pop(here))
                here += 1
            case _:
                return
        self._selected = max(0, min(here, len(rows) - 1))
        self._tell(msgspec.structs.replace(self._template, qa=tuple(rows)))
        if rows:
            self.query_one(RowList).highlighted = self._selected
        if event.change == "add":
            self._edit_question()

    def _edit_question(self) -> None:
        """Give the question the focus, in sight also where it was not shown before."""
        question = self.query_one("#question")
        question.focus(scroll_visible=False)
        # At the top where it is below everything else: what is wrong with it may take rows at the bottom.
        is_below = self.screen.has_class("-narrow")
        self.call_after_refresh(question.scroll_visible, animate=False, top=is_below)

    def action_add_question(self) -> None:
        """Add a question below the one that is shown."""
        if not self.has_class("-broken-rows"):
            self.query_one(RowList).action_want("add")

    def _take(self) -> None:
        """Tell what the fields say, if that is something else."""
        if not self._is_remade and (template := self._typed()) != self._template:
            self._tell(template)

    def _typed(self) -> Template:
        """The template with what the fields say."""
        count = self.query_one("#count", Input).value
        rows = list(self._template.qa)
        if rows:
            question, answer = self.query_one("#question", Field), self.query_one("#answer", Field)
            rows[self._selected] = msgspec.structs.replace(
                rows[self._selected], question=question.value, answer=answer.value
            )
        return msgspec.structs.replace(
            self._template,
            **self._typed_lines(),
            prompt=self.query_one("#prompt", Field).value,
            requirements=self.query_one("#requirements", Field).value,
            count=(int(count) or None) if count else None,
            qa=tuple(rows),
        )

    def _typed_lines(self) -> dict[str, Any]:
        """What the lines say of position, rows and metric; what only the YAML can say stays."""
        data, metric, position = self._template.data, self._template.metric, self._template.position
        lines = {name: self.query_one(f"#{name}", Input) for name, _, _ in _INPUTS}
        path, split, name, place = (
            lines[one].value.strip() for one in ("data", "split", "metric", "position")
        )
        if not lines["position"].disabled and place != (position or ""):
            position = place or None
        if not lines["data"].disabled and path != _path_of(data):
            data = {**_keys_of(data), "path": path}
        if not lines["split"].disabled and split != _split_of(data):
            data = {**_keys_of(data), "split": _sizes(split)}
        if not lines["metric"].disabled and name != _name_of(metric):
            metric = name or None
        if data is not self._template.data:
            data = {key: value for key, value in data.items() if value not in ("", None, {})}
            if data.keys() <= {"path"}:
                data = data.get("path")
        return {"data": data, "metric": metric, "position": position}

    def _tell(self, template: Template) -> None:
        self._template = template
        self._fill()
        self._unheard += 1
        self.post_message(self.Edited(self, template))

    def hear(self) -> None:
        """An edit has reached whoever writes it; until then an older template must not be shown."""
        self._unheard -= 1

    def _fill(self) -> None:
        """Bring every field to what the template says."""
        template = self._template
        row = template.qa[self._selected] if template.qa else QA("")
        self._give("#prompt", template.prompt, most=template.count)
        self._give("#requirements", template.requirements)
        self._give("#question", row.question)
        self._give("#answer", row.answer)
        count = self.query_one("#count", Input)
        if (int(count.value or 0) or None) != template.count:
            count.value = str(template.count or "")
        self._fill_data()
        told = template.parameters if isinstance(template.parameters, dict) else {}
        self.query_one(MethodLine).show(
            MethodChoice(template.method or "", told), MethodChoice(), _(_NO_METHOD)
        )
        self.set_class(not template.qa, "-no-rows")
        self.query_one(RowList).show(template.qa, self._selected)

    def _fill_data(self) -> None:
        template = self._template
        texts = {
            "data": _path_of(template.data),
            "split": _split_of(template.data),
            "metric": _name_of(template.metric),
            "position": _position_of(template),
        }
        said = {"data": template.data, "metric": template.metric, "position": template.position}
        typed = self._typed_lines() if self._is_filled else None
        self._is_filled = True
        for name, _label, example in _INPUTS:
            line, text = self.query_one(f"#{name}", Input), texts[name]
            line.disabled = text is None
            line.placeholder = _(_ELSEWHERE) if text is None else _(example)
            if typed != said:  # a size stays as it is typed while it is typed
                line.value = text or ""

    def _give(self, name: str, value: str, most: int | None = None) -> None:
        field = self.query_one(name, Field)
        if Template(prompt=field.value).prompt != value:  # the word None stays while it is being typed
            field.give(value)
        field.border_subtitle = self._sizes.say(value, most)


def _position_of(template: Template) -> str | None:
    """Where the prompt stands; None where the YAML says more than a line can."""
    if template.messages is not None or not isinstance(template.position, str | None):
        return None
    return template.position or ""


def _keys_of(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {"path": data}


def _path_of(data: Any) -> str | None:
    """The file of the rows; None where the YAML says more than a line can."""
    if isinstance(data, dict):
        has_files = any(name in data for name in ("train", "eval", "test"))
        data = None if has_files else data.get("path", "")
        return data if isinstance(data, str) else None
    return "" if data is None else data if isinstance(data, str) else None


def _split_of(data: Any) -> str | None:
    """How the rows are split, as it is typed; None where the YAML says more than a line can."""
    split = data.get("split") if isinstance(data, dict) else None
    if isinstance(split, dict) and not any(isinstance(size, list | dict) for size in split.values()):
        return ", ".join(f"{name} {size}" for name, size in split.items())
    return "" if split is None else split if isinstance(split, str) else None


def _sizes(text: str) -> Any:
    """A split as data; a text that is none stays a text, which the check of the template complains of."""
    parts = [part.split() for part in text.split(",") if part.strip()]
    if all(len(part) == 2 for part in parts):
        return {name: _size(size) for name, size in parts}
    return text


def _size(text: str) -> Any:
    size = typed(text)
    return text if isinstance(size, float) and not isfinite(size) else size


def _name_of(metric: Any) -> str | None:
    """The metric's name; None where the YAML says more than a line can."""
    return "" if metric is None else metric if isinstance(metric, str) else None
