"""A new template in three steps: a prompt, questions, and what a good answer is like."""

from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _, ngettext
from spotui.settings import locations
from spotui.templates.folder import STARTER, TemplateFolder
from spotui.templates.model import Problem, Template, TemplateError
from spotui.templates.pasted import pasted_file, pasted_questions
from spotui.templates.read import check_text, read_template
from spotui.templates.save import edit_yaml, to_yaml
from spotui.tui.child import attempt
from spotui.tui.dialogs import confirmed, row, text_field
from spotui.tui.page import Bar, Page
from spotui.tui.template.editor import TextBox
from spotui.tui.terminal import open_by


class _Step(NamedTuple):
    """One step: the id of its text, its title, what is asked for, and an example.

    Attributes:
        id: The id of the text box; empty for the last step, which saves.
        title: In the row of steps.
        ask: What is to be pasted.
        example: What an empty box shows.
    """

    id: str
    title: str
    ask: str
    example: str = ""


_STEPS = (
    _Step(
        "prompt",
        N_("Prompt"),
        N_("Paste the prompt that you want to improve. A model is sent it with one question at a time."),
        N_("e.g. Summarize the message of the customer in one sentence."),
    ),
    _Step(
        "questions",
        N_("Questions"),
        N_(
            "Paste at least five questions, one a line, or the path of a file with rows (e.g. CSV). Put "
            "empty lines between longer ones; => or a pasted tab begins the expected answer."
        ),
        N_("e.g. My parcel has not arrived yet. => Asks where the parcel is."),
    ),
    _Step(
        "requirements",
        N_("What you want"),
        N_("Say what a good answer is like. The clearer it is, the better the result."),
        N_("e.g. One sentence of at most 15 words that names the problem and no person."),
    ),
    _Step("", N_("Save"), N_("This is the template. Give it a name.")),
)
_SAVE = len(_STEPS) - 1
_HERE = "▸"
_ENOUGH = 5
"""Questions for a run: a round asks three, and the others check the best prompt at the end."""


class NewTemplateScreen(Page[Path | None]):
    """Makes a template; gives back its file, or None when it is left.

    Args:
        root: The folder of the user's own templates.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "next", "next step", id="wizard.next", priority=True),
        Binding("ctrl+s", "save", "save", id="wizard.save", priority=True),
        Binding("escape", "back", "step back", id="wizard.back"),
        Binding("ctrl+o", "import", "import instead", id="wizard.import", priority=True),
    ]

    DEFAULT_CSS = """
    NewTemplateScreen {
        & #ask { height: auto; padding: 1 1 0 1; }
        & #body { height: 1fr; }
        & #typed { width: 1fr; height: 1fr; }
        & #typed TextBox { height: 1fr; padding: 0 1; }
        & #naming { height: 1; padding: 0 1; margin: 1 0; & Label { width: 8; color: $text-muted; } }
        & #preview { width: 1fr; height: 1fr; padding: 0 1; }
        &.-narrow.-asking #preview { display: none; }
        &.-narrow.-saving #typed { height: 3; }
        &.-narrow #body { layout: vertical; }
        &.-narrow #preview { width: 100%; }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._folder = TemplateFolder(root)
        self._at = 0

    def parts(self) -> ComposeResult:
        """The steps, what is asked for, the texts, and the template that they make."""
        yield Static(id="steps", classes="head", markup=False)
        yield Static(id="ask", markup=False)
        with Horizontal(id="body"):
            with Vertical(id="typed"):
                for step in _STEPS[:_SAVE]:
                    box = TextBox(
                        id=step.id,
                        classes="framed",
                        placeholder=_(step.example),
                        highlight_cursor_line=False,
                        soft_wrap=True,
                    )
                    box.border_title = _(step.title)
                    yield box
                naming = row(_("Name"), text_field("name", self._folder.free_name("template"), ""))
                naming.id = "naming"
                yield naming
            shown = TextBox(id="preview", classes="framed", read_only=True, show_cursor=False, soft_wrap=True)
            shown.border_title = _("Template")
            yield shown
        yield Bar(id="problem")

    def on_mount(self) -> None:
        """Begin with the prompt."""
        self.fill()

    def fill(self) -> None:
        """Show the step."""
        self._go(self._at)

    @property
    def template(self) -> Template:
        """What the texts make."""
        questions = self._text("questions")
        file = pasted_file(questions)
        return Template(
            prompt=self._text("prompt"),
            requirements=self._text("requirements"),
            qa=() if file else pasted_questions(questions),
            data=str(file) if file else None,
        )

    @property
    def holds_input(self) -> bool:
        """Whether anything was pasted or typed."""
        return any(self._text(step.id) for step in _STEPS[:_SAVE])

    async def ask_to_close(self) -> None:
        """Ask before the texts are dropped, at whichever step."""
        open_by(self, self._leave(), group="leave")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """One key goes on, and saves at the end; an import takes the place of all steps."""
        is_last = self._at == _SAVE
        return {"next": not is_last, "save": is_last, "import": self._at == 0}.get(action, True)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Show what it makes."""
        event.stop()
        if event.text_area.id != "preview":
            self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong with the name may be right now."""
        event.stop()
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save it."""
        event.stop()
        self.action_save()

    def action_next(self) -> None:
        """Go to the next step; what is missing is said at the end."""
        self._go(self._at + 1)

    def action_back(self) -> None:
        """Go back a step, or leave."""
        if self._at:
            self._go(self._at - 1)
        elif self.holds_input:
            open_by(self, self._leave(), group="leave")
        else:
            self.dismiss(None)

    def action_save(self) -> None:
        """Write the file, if the template can be used."""
        self.run_worker(self._save(), group="save", exclusive=True)

    def action_import(self) -> None:
        """Make it of what another tool has."""
        open_by(self, self._import(), group="import")

    async def _import(self) -> None:
        from spotui.tui.home.import_screen import ImportScreen

        name = await self.app.push_screen_wait(ImportScreen())
        path = next((one for one in self._folder.paths() if one.stem == name), None) if name else None
        if path is not None:
            self.dismiss(path)

    async def _leave(self) -> None:
        text = _("What you pasted is not saved.")
        if await confirmed(self, _("Leave without a template?"), _("leave"), text):
            self.dismiss(None)

    async def _save(self) -> None:
        text, problems = self._written()
        if (worst := _worst(problems)) is not None:
            self._go(_step_of(worst))
            self._say(worst)
            return
        name = self.query_one("#name", Input).value.strip()
        try:
            self._folder.check_name(name)
        except SpotuiError as error:
            self.query_one("#problem", Bar).say(Content.styled(str(error), "$text-error"))
            return
        path = await attempt(self, self._folder.create, name, text)
        if path is not None:
            self.dismiss(path)

    def _go(self, step: int) -> None:
        self._at = step
        self.set_class(step == _SAVE, "-saving")
        self.set_class(step != _SAVE, "-asking")
        for number, one in enumerate(_STEPS[:_SAVE]):
            self.query_one(f"#{one.id}").display = number == step
        self.query_one("#naming").display = step == _SAVE
        parts = [
            (
                f"{_HERE if number == step else ' '}{number + 1} {_(one.title)}",
                "bold $accent" if number == step else "$text-muted",
            )
            for number, one in enumerate(_STEPS)
        ]
        said: list[tuple[str, str]] = [(_("New template"), "bold $secondary")]
        for part in parts:
            said += [("  ", ""), part]
        self.query_one("#steps", Static).update(Content.assemble(*said))
        self.query_one("#ask", Static).update(_(_STEPS[step].ask))
        self.query_one(f"#{_STEPS[step].id or 'name'}").focus()
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        """Show the template, and what the texts amount to."""
        template = self.template
        count, answers = len(template.qa), sum(bool(one.answer) for one in template.qa)
        text, problems = self._written()
        self.query_one("#preview", TextBox).change_to(text)
        counted = ngettext("{n:,} question", "{n:,} questions", count)
        if answers:
            counted = _("{questions}, {answers} with an answer", questions=counted, answers=answers)
        if template.data:
            counted = _("rows of {files}", files=Path(template.data).name)
        self.query_one("#questions").border_subtitle = counted
        bar = self.query_one("#problem", Bar)
        worst = _worst(problems)
        if self._at == _SAVE and worst is not None:
            self._say(worst)
        elif self._at > 0 and 0 < count < _ENOUGH and _STEPS[self._at].id in ("questions", ""):
            few = _("A run needs {enough} questions to check its best prompt on new ones.", enough=_ENOUGH)
            bar.say(Content.styled(few, "$text-warning"))
        else:
            bar.say(Content(""))

    def _say(self, problem: Problem) -> None:
        text = f"{problem.what} {problem.hint}".strip()
        self.query_one("#problem", Bar).say(Content.styled(text, "$text-error"))

    def _written(self) -> tuple[str, list[Problem]]:
        """The template's text and what is wrong with it; with comments, where they can stay."""
        template = self.template
        starter = _(STARTER)
        if template.data:
            starter = starter.rpartition("\n\n")[0] + "\n"  # without the questions, which are its last block
        try:
            text = edit_yaml(starter, template)
        except TemplateError:
            try:
                text = to_yaml(template)
            except TemplateError as error:
                return "", list(error.problems)
        return text, check_text(text)

    def _text(self, box: str) -> str:
        return self.query_one(f"#{box}", TextBox).text.strip()


def _worst(problems: list[Problem]) -> Problem | None:
    return next((one for one in problems if one.severity == "error"), None)


def _step_of(problem: Problem) -> int:
    """The step at which a problem can be fixed."""
    key = problem.key.partition(".")[0].partition("[")[0]
    return {"prompt": 0, "qa": 1, "requirements": 2}.get(key, 0)


def described(path: Path) -> str:
    """What is said of a template that has just been made.

    Args:
        path: Its file.
    """
    count = 0
    with suppress(TemplateError):
        template = read_template(path)
        if template.data:
            return _(
                "{name} is saved in {folder}, with the rows of {file}. Press Enter to start a run of it.",
                name=path.stem,
                folder=locations.shown(path.parent),
                file=Path(str(template.data)).name,
            )
        count = len(template.qa)
    questions = ngettext("{n:,} question", "{n:,} questions", count)
    return _(
        "{name} is saved in {folder}, with {questions}. Press Enter to start a run of it.",
        name=path.stem,
        folder=locations.shown(path.parent),
        questions=questions,
    )
