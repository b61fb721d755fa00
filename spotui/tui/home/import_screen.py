"""Makes templates of what another tool has: a file is chosen, and what becomes of it is shown before."""

import asyncio
import json
from pathlib import Path
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DirectoryTree, Input, Static
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from spotui.lang import N_, _, ngettext
from spotui.settings import locations
from spotui.settings.locations import expanded
from spotui.tui.child import ask
from spotui.tui.dialogs import FieldDialog, field_keys, row, text_field

_HELP = N_(
    "Choose a file or folder: promptfoo, OpenAI evals, chat JSONL, ShareGPT, Alpaca, Langfuse, LangSmith, "
    "Phoenix, DSPy, Hugging Face, or a published data set. Nothing in it is run."
)
_PAUSE = 0.3
"""Seconds without a key after which a path is looked at."""


class _Files(DirectoryTree):
    """The files below a folder, without hidden ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,left", "above", "folder above", id="import.above", show=False),
    ]

    # Textual's are emoji, whose width terminals do not agree on.
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        """The root by its path, which may be another folder than the one that it began with."""
        if node.is_root:
            return Text(f"▾ {locations.shown(Path(self.path)).removesuffix('/.')}", style=base_style + style)
        return super().render_label(node, base_style, style)

    def action_above(self) -> None:
        """Show the folder above the one that is shown."""
        self.path = Path(self.path).absolute().parent

    def filter_paths(self, paths: Any) -> Any:
        """Leave out what is hidden: keys and histories are there."""
        return [path for path in paths if not path.name.startswith(".")]


class ImportScreen(FieldDialog[str]):
    """Chooses a source, shows what is imported and what is not; gives back the name of the first template."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "import", id="import.take", priority=True),
        Binding("escape", "dismiss('')", "back", id="import.back"),
        *field_keys("import"),
    ]

    DEFAULT_CSS = """
    ImportScreen {
        & > Vertical { width: 110; max-width: 95%; height: 90%; }
        & Label { width: 10; }
        & #choosing { height: 1fr; margin: 1 0 0 0; }
        & _Files { width: 1fr; height: 1fr; padding: 0; background: $surface; scrollbar-size-vertical: 1; }
        & VerticalScroll { width: 2fr; height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
        & VerticalScroll:focus { background: $boost; }
        & VerticalScroll Static { height: auto; }
    }
    """

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._folder = folder or Path.cwd()

    def compose(self) -> ComposeResult:
        """Path and format, the files, and the preview."""
        with Vertical() as box:
            self._write_title(box)
            yield from self._fields()
            with Horizontal(id="choosing"):
                yield _Files(self._folder)
                with VerticalScroll():  # the focus scrolls a long preview
                    yield Static(_(_HELP), id="preview", markup=False)

    def _write_title(self, box: Widget) -> None:
        box.border_title = _("Import")
        box.border_subtitle = _("tab next, backspace folder above, ctrl+s imports, escape cancels")

    def _fields(self) -> ComposeResult:
        yield row(_("File"), text_field("path", "", _("the path of a file or folder")))
        yield row(_("Format"), text_field("format", "", _("recognized; e.g. chat or promptfoo")))

    async def remake(self) -> None:
        """Leave the files alone, with the folders that are open; what is around them is made again."""
        box, files = self.query_one(Vertical), self.query_one("#choosing")
        self._write_title(box)
        for field in ("#path", "#format"):
            await self.query_one(field).query_ancestor(Horizontal).remove()
        await box.mount_all(self._fields(), before=files)

    def fill(self) -> None:
        """Look at what is named again."""
        self.run_worker(self._preview(), group="preview", exclusive=True)

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        """Take a file of the tree."""
        self._choose(event.path)

    def on_directory_tree_directory_selected(self, event: DirectoryTree.DirectorySelected) -> None:
        """Take a folder of the tree; it opens, too."""
        self._choose(event.path)

    def _choose(self, path: Path) -> None:
        field = self.query_one("#path", Input)
        field.value = str(path.relative_to(self._folder) if path.is_relative_to(self._folder) else path)
        field.cursor_position = len(field.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look at what is named now."""
        event.stop()
        self.run_worker(self._preview(), group="preview", exclusive=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Import it."""
        event.stop()
        self.action_take()

    async def _preview(self) -> None:
        await asyncio.sleep(_PAUSE)
        shown = self.query_one("#preview", Static)
        if not self.typed_in("path"):
            shown.update(_(_HELP))
            return
        shown.update(_("looking at it…"))
        told = await ask([*self._words(), "--dry-run"])
        if told.fault:
            shown.update(Content.styled(told.fault, "$text-error"))
            return
        shown.update(preview(json.loads(told.out)))

    def action_take(self) -> None:
        """Write the templates among the user's own."""
        self.run_worker(self._take(), group="take", exclusive=True)

    async def _take(self) -> None:
        if not self.typed_in("path"):
            self.query_one("#path").focus()
            return
        name = self._free_name()
        target = locations.templates_dir() / f"{name}.yaml"
        told = await ask([*self._words(), "--output", str(target)])
        if told.fault:
            self.query_one("#preview", Static).update(Content.styled(told.fault, "$text-error"))
            return
        report = json.loads(told.out)
        count = len(report["templates"])
        self.notify(
            ngettext("{n:,} template is imported.", "{n:,} templates are imported.", count), markup=False
        )
        self.dismiss(Path(report["templates"][0]["file"]).stem)

    def _words(self) -> list[str]:
        """The command that imports what is named."""
        path = expanded(self.typed_in("path"))
        words = ["import", str(path if path.is_absolute() else self._folder / path), "--json"]
        return [*words, "--from", self.typed_in("format")] if self.typed_in("format") else words

    def _free_name(self) -> str:
        """A name that no template of the user has."""
        from spotui.templates.exchange.write import file_name
        from spotui.templates.folder import TemplateFolder

        path = Path(self.typed_in("path"))
        stem = path.name if not path.suffix else path.name.split(".", 1)[0]
        if stem == "promptfooconfig":
            stem = (self._folder / path).resolve().parent.name
        folder, wanted, number = TemplateFolder(locations.templates_dir()), file_name(stem), 2
        name = wanted
        while _is_taken(folder.root, name):
            name, number = f"{wanted}-{number}", number + 1
        return name


def _is_taken(folder: Path, name: str) -> bool:
    """Whether a template, one of several of that name, or its rows are there."""
    return any(folder.glob(f"{name}.y*ml")) or any(folder.glob(f"{name}-*"))


def preview(report: dict[str, Any]) -> Content:
    """What an import would bring, and what it would leave out.

    Args:
        report: As `spotui import --json` prints it.
    """
    parts = [Content.styled(f"{report['title']}\n", "bold")]
    for number, one in enumerate(report["templates"], 1):
        rows = ngettext("{n:,} row", "{n:,} rows", one["rows"])
        label = f"  {one['label']}" if one["label"] else ""
        metric = one["metric"]
        name = metric.get("name", "") if isinstance(metric, dict) else metric or ""
        head = f"\n{number}{label}: {rows}" + (f", {name}" if name else "")
        parts += [Content.styled(head, "$text-accent"), Content(f"\n{_short(one['prompt'])}\n")]
    notes = report["notes"]
    if notes:
        head = ngettext(
            "{n:,} thing is left out or changed:", "{n:,} things are left out or changed:", len(notes)
        )
        parts.append(Content.styled(f"\n{head}\n", "$text-warning"))
        parts += [Content(f"• {note['where']}: {note['what']} {note['why']}\n") for note in notes]
    else:
        parts.append(Content.styled("\n" + _("Everything is mapped."), "$text-success"))
    return Content("").join(parts)


def _short(prompt: str) -> str:
    lines = prompt.strip().splitlines()[:4]
    return "\n".join(line[:200] for line in lines)
