"""Imports what a test has written, and makes sure that a run could begin with the result."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spotui.domain.rows import Row
from spotui.runs.check import check
from spotui.runs.task import attachments_of, read_rows
from spotui.templates.exchange.registry import read_source
from spotui.templates.exchange.source import Source
from spotui.templates.exchange.write import draft, write
from spotui.templates.model import Template
from spotui.templates.read import read_template, read_text


class Brought(NamedTuple):
    """What an import wrote: its templates with their rows, and its notes as a person reads them."""

    format: str
    templates: list[Template]
    rows: list[list[Row]]
    notes: list[str]
    paths: list[Path]

    @property
    def template(self) -> Template:
        """The only template."""
        (one,) = self.templates
        return one

    @property
    def all_rows(self) -> list[Row]:
        """The rows of the only template, in the order of their file."""
        (rows,) = self.rows
        return rows


def files(folder: Path, **texts: str) -> None:
    """Write files; `__` in a name stands for a slash, and the last `_` for the dot."""
    for name, text in texts.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def bring(
    path: Path,
    name: str | None = None,
    *,
    agrees: Callable[[str, Path], bool] = lambda _where, _path: False,
    environ: Mapping[str, str] | None = None,
    may_be_empty: bool = False,
    has_braces: bool = False,
) -> Brought:
    """Import a source into a folder of its own; what comes out has to be free of mistakes.

    Args:
        path: The source.
        name: Its format, or None to recognize it.
        agrees: Whether files outside may be read.
        environ: Environment variables.
        may_be_empty: Whether the source has no prompt, or no rows.
        has_braces: Whether its prompt has text in double braces, of which `check` warns.
    """
    source = Source(path, agrees, environ)
    chosen, imported = read_source(source, name)
    target = (path if path.is_dir() else path.parent) / "brought" / "new.yaml"
    drafts = draft(imported, source.notes, format_name=chosen.name, source=path, target=target)
    write(drafts, path)
    templates, rows = [], []
    for one in drafts:
        checked = check(read_text(one.path))
        problems = [f"{problem.key}: {problem.what}" for problem in checked.problems]
        if may_be_empty:
            problems = [
                problem for problem in problems if not problem.startswith("prompt: The prompt is empty")
            ]
        if has_braces:
            problems = [
                problem
                for problem in problems
                if not {"{{", "{%"} & {problem[at : at + 2] for at in range(len(problem))}
            ]
        assert problems == []
        template = read_template(one.path)
        found: list[Row] = []
        if template.qa or template.data:
            data = read_rows(template, one.path.parent, attach=attachments_of(one.path.parent).attach)
            unique: dict[Any, Row] = {
                (row.file, row.line): row for part in (data.train, data.eval, data.test) for row in part
            }
            found = [unique[key] for key in sorted(unique)]
        templates.append(template)
        rows.append(found)
    return Brought(
        chosen.name, templates, rows, [str(note) for note in source.notes], [one.path for one in drafts]
    )
