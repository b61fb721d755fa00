"""spotui import SOURCE."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.cli.exit_codes import UsageError
from spotui.lang import _, ngettext
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spotui.templates.exchange.imported import Imported, Notes
    from spotui.templates.exchange.registry import Format
    from spotui.templates.exchange.write import Draft


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """What `import` takes."""
    from spotui.templates.exchange.registry import NAMES

    parser.add_argument("path", metavar="SOURCE", help=_("a file or folder of another tool"))
    parser.add_argument(
        "--from",
        dest="format",
        metavar="FORMAT",
        help=_("its format, where it is not recognized: {names}", names=", ".join(NAMES)),
    )
    parser.add_argument(
        "--output",
        "-o",
        metavar="FILE",
        help=_("the new template (default: named after SOURCE, in this folder)"),
    )
    parser.add_argument(
        "--prompt", metavar="N", type=int, help=_("of several prompts, import the one with this number only")
    )
    for role, about in (
        ("question", _("the column of the question, where the source does not say it")),
        ("answer", _("the column of the answer that is right, where the source does not say it")),
    ):
        parser.add_argument(f"--{role}", metavar="COLUMN", help=about)
    parser.add_argument("--force", action="store_true", help=_("replace files that exist"))
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="FILE",
        help=_("read FILE, although it is outside of the source's folder; may be repeated"),
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME",
        help=_("write the value of this environment variable into the template; may be repeated"),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=_("report what would be imported, and write nothing")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("one JSON object: the files, and what could not be mapped")
    )


def import_command(parsed: argparse.Namespace) -> int:
    """Write a template with its rows, and report everything that has no place in it."""
    from spotui.templates.exchange.registry import read_source
    from spotui.templates.exchange.source import Source
    from spotui.templates.exchange.write import draft, file_name, write

    path = expanded(parsed.path)
    trusted = {expanded(name).resolve() for name in parsed.trust}
    columns = {"question": parsed.question, "answer": parsed.answer}
    source = Source(
        path,
        lambda where, file: file in trusted or _agrees(where, file),
        _environment(parsed.env),
        {role: column for role, column in columns.items() if column},
    )
    chosen, imported = read_source(source, parsed.format)
    imported = _chosen(imported, parsed.prompt, source.name)
    if parsed.output:
        target = expanded(parsed.output)
        if target.suffix not in (".yaml", ".yml"):
            raise UsageError(
                _("{target} is not the name of a template.", target=target),
                _("Let it end in .yaml."),
            )
    else:
        resolved = path.resolve()
        stem = resolved.name if source.is_folder else resolved.name.split(".", 1)[0]
        generic = stem in ("promptfooconfig", "config", "train", "data", "")
        target = Path(f"{file_name(resolved.parent.name if generic and not source.is_folder else stem)}.yaml")
    drafts = draft(imported, source.notes, format_name=chosen.name, source=path, target=target)
    files = [] if parsed.dry_run else write(drafts, path, replace=parsed.force)
    if parsed.json:
        _print_json(chosen, drafts, files, source.notes)
    else:
        _print(chosen, source.name, drafts, source.notes, is_dry=parsed.dry_run)
    return exit_codes.OK


def _environment(names: "Sequence[str]") -> "Mapping[str, str]":
    """The values of the environment variables that the user names.

    Raises:
        UsageError: One of them is not set.
    """
    for name in names:
        if name not in os.environ:
            raise UsageError(
                _("The environment variable {name} is not set.", name=name),
                _("Set it, or leave --env {name} out.", name=name),
            )
    return {name: os.environ[name] for name in names}


def _chosen(imported: "list[Imported]", number: int | None, name: str) -> "list[Imported]":
    """The template of the prompt that the user asks for, or all of them.

    Raises:
        UsageError: There is no such prompt.
    """
    if number is None:
        return imported
    found = [one for at, one in enumerate(imported, 1) if one.origin.get("prompt", at) == number]
    if not found:
        numbers = ", ".join(str(one.origin.get("prompt", at)) for at, one in enumerate(imported, 1))
        raise UsageError(
            _("{name} has no prompt {number} that can be imported.", name=name, number=number),
            _("Choose one of {numbers}.", numbers=numbers),
        )
    return found


def _agrees(where: str, path: Path) -> bool:
    """Whether the user lets a file outside of the source's folder be read."""
    from spotui.cli.trusting import says_yes

    return says_yes(
        _(
            "{where} refers to a file outside of the source's folder, and its content would go into the "
            "template:\n  {path}\nRead it? [y/N] ",
            where=where,
            path=path,
        )
    )


def _print(chosen: "Format", name: str, drafts: "Sequence[Draft]", notes: "Notes", *, is_dry: bool) -> None:
    if is_dry:
        would = ngettext(
            "{name} ({title}) would become {n:,} template:",
            "{name} ({title}) would become {n:,} templates:",
            len(drafts),
            name=name,
            title=chosen.title,
        )
        print(would)
    else:
        print(
            ngettext(
                "Imported {n:,} template from {name} ({title}):",
                "Imported {n:,} templates from {name} ({title}):",
                len(drafts),
                name=name,
                title=chosen.title,
            )
        )
    for one in drafts:
        rows = ngettext("{n:,} row", "{n:,} rows", one.imported.count)
        files = "".join(f", {path}" for path in one.files)
        label = f" ({one.imported.label})" if one.imported.label else ""
        print(f"  {one.path}{files}: {rows}{label}")
    if len(notes):
        sys.stdout.flush()
        print(
            ngettext(
                "{n:,} thing was left out or changed:",
                "{n:,} things were left out or changed:",
                len(notes),
            ),
            file=sys.stderr,
        )
        for note in notes:
            print(f"  {note}", file=sys.stderr)
        sys.stderr.flush()
    if not is_dry:
        print(_("Check it: spotui check {path}", path=drafts[0].path))


def _print_json(chosen: "Format", drafts: "Sequence[Draft]", files: "Sequence[Path]", notes: "Notes") -> None:
    import msgspec

    from spotui.lang import as_asked

    report = {
        "format": chosen.name,
        "title": chosen.title,
        "templates": [
            {
                "file": str(one.path),
                "label": one.imported.label,
                "rows": one.imported.count,
                "metric": one.template.metric,
                "prompt": one.template.prompt,
            }
            for one in drafts
        ],
        "files": [str(path) for path in files],
        "notes": [*notes],
    }
    print(msgspec.json.encode(report, enc_hook=as_asked).decode())
