"""spotui rows TEMPLATE --synthesize N."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import behind
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.event_lines import encode_event
from spotui.domain.events import CallRetried, Event, Noticed, SpendingChanged
from spotui.domain.text import visible
from spotui.lang import _, as_asked, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from spotui.runs.drafts import Draft, Drafts
    from spotui.runs.synthesize import Written

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
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--keep-all", action="store_true", help=_("keep all of them without asking"))
    output.add_argument(
        "--json", action="store_true", help=_("print the rows as one JSON object, and keep none")
    )
    output.add_argument(
        "--json-lines",
        action="store_true",
        help=_("the same with a line for each row as it arrives, and for what it costs"),
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
    from spotui.runs.drafts import Drafts, drafts_folder, keep_rows
    from spotui.runs.launch import Launcher
    from spotui.runs.synthesize import write_rows
    from spotui.settings.resources import examples_dir, find_template
    from spotui.settings.table import RunSettings

    can_ask = sys.stdin.isatty() and behind(sys.stdout).isatty()
    is_printed = parsed.json or parsed.json_lines
    if not (can_ask or parsed.keep_all or is_printed):
        raise UsageError(
            _("There is no terminal on which you could keep or drop a row."),
            _("Add --keep-all to keep them all, or --json to print them."),
        )
    launcher, path = Launcher(), find_template(parsed.template)
    if path.is_relative_to(examples_dir()) and not is_printed:
        raise UsageError(
            _("{path} is a bundled example, which cannot be changed.", path=path.stem),
            _("Copy it first: cp {path} .", path=path),
        )
    parsed.method, parsed.set = None, None
    prepared = launcher.prepare(path, options.flags(parsed), purpose="rows")
    settings: RunSettings = prepared.settings
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(settings, yes=parsed.yes)
    folder = drafts_folder(options.workspace(parsed), path)
    teller = _Teller(as_lines=parsed.json_lines)
    if parsed.json_lines:
        _write({"model": settings.roles.optimizer.model})
    written = asyncio.run(
        write_rows(
            prepared, folder, launcher.connections(settings), parsed.synthesize, teller, teller.on_draft
        )
    )
    if parsed.json_lines:
        _write({"left_out": written.alike})
        return exit_codes.OK
    if parsed.json:
        _print_json(written)
        return exit_codes.OK
    if written.alike:
        print(
            ngettext(
                "{n:,} row is left out, as it is nearly the same as another.",
                "{n:,} rows are left out, as they are nearly the same as others.",
                written.alike,
            )
        )
    drafts = Drafts(folder, path)
    if parsed.keep_all:
        file = keep_rows(path, prepared.template, written.drafts)
        drafts.note(written.drafts, "kept")
        _say_kept(len(written.drafts), file)
    else:
        _ask_about(written.drafts, drafts)
    return exit_codes.OK


class _Teller:
    """Says what happens, as lines for a program or as notices for a person.

    Args:
        as_lines: Whether a program reads them.
    """

    def __init__(self, *, as_lines: bool) -> None:
        self._as_lines = as_lines

    def __call__(self, event: Event) -> None:
        if self._as_lines and isinstance(event, Noticed | CallRetried | SpendingChanged):
            print(encode_event(event).decode(), end="", flush=True)
        elif isinstance(event, Noticed):
            print(f"spotui: {event.text}", file=sys.stderr)

    def on_draft(self, draft: "Draft", left_out: int) -> None:
        """A row has come, and so many were left out until now."""
        if self._as_lines:
            _write({"row": draft, "left_out": left_out})


def _write(data: dict[str, object]) -> None:
    import msgspec

    print(msgspec.json.encode(data).decode(), flush=True)


def _ask_about(written: "Sequence[Draft]", drafts: "Drafts") -> None:
    """Let the user keep, edit or drop each; what is kept is in the template at once."""
    count, file = 0, None
    try:
        for number, draft in enumerate(written, 1):
            print(f"\n{number}/{len(written)}  {visible(draft.shown)}")
            if draft.answer:
                print(_("Answer: {answer}", answer=visible(draft.answer)))
            choice = _choice()
            if choice == "q":
                break
            if choice == "d":
                drafts.note([draft], "dropped")
                continue
            file = drafts.keep([(draft, _edited(draft) if choice == "e" else draft)])
            count += 1
    finally:
        if file is None:
            print(_("No row is kept, and nothing was changed."))
        else:
            _say_kept(count, file)


def _say_kept(count: int, file: object) -> None:
    print(
        ngettext(
            "{n:,} row is added to {file}, marked as synthetic.",
            "{n:,} rows are added to {file}, marked as synthetic.",
            count,
            file=file,
        )
    )


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


def _print_json(written: "Written") -> None:
    import msgspec

    data = {"rows": [msgspec.structs.asdict(one) for one in written.drafts], "left_out": written.alike}
    print(msgspec.json.format(msgspec.json.encode(data, enc_hook=as_asked), indent=2).decode())
