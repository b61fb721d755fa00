"""spotui rows TEMPLATE --synthesize N."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.events import Event, Noticed
from spotui.domain.text import visible
from spotui.lang import _, as_english, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from spotui.runs.synthesize import Draft

_MOST = 1000


def add_rows_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rows` takes: the settings of the optimizer."""
    parser.add_argument("template", metavar="TEMPLATE", help=_("a YAML file with at least one row"))
    parser.add_argument(
        "--synthesize",
        type=_count,
        required=True,
        metavar="N",
        help=_("let the optimizer's model write N new rows; you keep, edit or drop each"),
    )
    parser.add_argument("--keep-all", action="store_true", help=_("keep all of them without asking"))
    parser.add_argument(
        "--json", action="store_true", help=_("print the rows as one JSON object, and keep none")
    )
    options.add_yes(parser)
    add_trust(parser)
    options.add_workspace(parser)
    options.add_settings(parser, Group.BUDGET, Group.CALLS, Group.MODELS, Group.OPTIMIZER)


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 0 < number <= _MOST:
        raise argparse.ArgumentTypeError(_("a whole number from 1 to {most} is wanted", most=_MOST))
    return number


def rows_command(parsed: argparse.Namespace) -> int:
    """Let the optimizer write rows, ask about each, and add those that are kept to the template."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.runs.launch import Launcher
    from spotui.runs.synthesize import keep_rows, write_rows
    from spotui.settings.resources import examples_dir, find_template
    from spotui.settings.table import RunSettings

    can_ask = sys.stdin.isatty() and sys.stdout.isatty()
    if not (can_ask or parsed.keep_all or parsed.json):
        raise UsageError(
            _("There is no terminal on which you could keep or drop a row."),
            _("Add --keep-all to keep them all, or --json to print them."),
        )
    launcher, path = Launcher(), find_template(parsed.template)
    if path.is_relative_to(examples_dir()) and not parsed.json:
        raise UsageError(
            _("{path} is a bundled example, which cannot be changed.", path=path.stem),
            _("Copy it first: cp {path} .", path=path),
        )
    parsed.method, parsed.set = None, None
    prepared = launcher.prepare(path, options.flags(parsed), purpose="rows")
    settings: RunSettings = prepared.settings
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(settings, yes=parsed.yes)
    folder = options.workspace(parsed).measured(f"{path.stem}-rows")
    connections = launcher.connections(settings)
    written = asyncio.run(write_rows(prepared, folder, connections, parsed.synthesize, _tell))
    if parsed.json:
        _print_json(written.drafts, written.alike)
        return exit_codes.OK
    if written.alike:
        print(
            ngettext(
                "{n:,} row is left out, as it is nearly the same as another.",
                "{n:,} rows are left out, as they are nearly the same as others.",
                written.alike,
            )
        )
    kept = written.drafts if parsed.keep_all else list(_asked(written.drafts))
    if not kept:
        print(_("No row is kept, and nothing was changed."))
        return exit_codes.OK
    file = keep_rows(path, prepared.template, kept)
    print(
        ngettext(
            "{n:,} row is added to {file}, marked as synthetic.",
            "{n:,} rows are added to {file}, marked as synthetic.",
            len(kept),
            file=file,
        )
    )
    return exit_codes.OK


def _tell(event: Event) -> None:
    if isinstance(event, Noticed):
        print(f"spotui: {event.text}", file=sys.stderr)


def _asked(drafts: "list[Draft]") -> "Iterator[Draft]":
    """Those that the user keeps, as they edited them."""
    for number, draft in enumerate(drafts, 1):
        print(f"\n{number}/{len(drafts)}  {visible(draft.shown)}")
        if draft.answer:
            print(_("Answer: {answer}", answer=visible(draft.answer)))
        match _choice():
            case "d":
                continue
            case "q":
                return
            case "e":
                yield _edited(draft)
            case _:
                yield draft


def _choice() -> str:
    while True:
        print(_("Keep it? [Y]es, [e]dit, [d]rop, [q]uit without the rest: "), end="", flush=True)
        typed = _line().strip().casefold()[:1]
        if typed in ("", "y", "e", "d", "q"):
            return typed


def _line() -> str:
    try:
        return input()
    except EOFError:
        return "q"


def _edited(draft: "Draft") -> "Draft":
    """A draft with what is typed in place of its texts; an empty line leaves a text as it is."""
    import msgspec

    print(_("Type the new text, or Enter to leave it."))
    question = _typed(_("question"), draft.question)
    slots = {name: _typed(name, text) for name, text in draft.slots.items()}
    answer = _typed(_("answer"), draft.answer) if draft.answer else ""
    return msgspec.structs.replace(draft, question=question, slots=slots, answer=answer)


def _typed(name: str, text: str) -> str:
    if not text:
        return text
    print(f"{name}: ", end="", flush=True)
    typed = _line().strip()
    return typed if typed and typed != "q" else text


def _print_json(drafts: "Iterable[Draft]", alike: int) -> None:
    import msgspec

    data = {"rows": [msgspec.structs.asdict(one) for one in drafts], "left_out": alike}
    print(msgspec.json.format(msgspec.json.encode(data, enc_hook=as_english), indent=2).decode())
