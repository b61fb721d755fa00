"""How a migration is shown: what happens, as lines, and what was found."""

import argparse
import sys
from typing import TYPE_CHECKING

from spotui.cli.measuring import write_json
from spotui.cli.terminal import paint
from spotui.lang import _, as_english

if TYPE_CHECKING:
    from spotui.domain.events import Event
    from spotui.workspace.migration_file import MigrationFolder, MigrationRecord, Tried


def print_migration(parsed: argparse.Namespace, folder: "MigrationFolder", record: "MigrationRecord") -> None:
    """Print what a migration found: the table and the recommendation, or one JSON object."""
    from spotui.view.migration import advice_in_words, explained, spent_line, table_lines

    if parsed.json:
        import msgspec

        data: dict[str, object] = msgspec.to_builtins(record, enc_hook=as_english)
        write_json({**data, "name": folder.name, "text": advice_in_words(record)})
        return
    print("\n".join(table_lines(record)))
    print("\n" + "\n".join(explained(record)))
    print(f"\n{advice_in_words(record)}")
    print(_("Receipt: spotui report {name}", name=folder.name))
    print(spent_line(record), file=sys.stderr)


class MigrationListener:
    """Prints what happens as lines, and on a terminal how many calls are done in place."""

    def __init__(self) -> None:
        self._printed: set[str] = set()
        self._done = 0
        self._is_watched = sys.stderr.isatty()

    def note(self, text: str) -> None:
        """Print what happens next."""
        self.end()
        print(text, file=sys.stderr, flush=True)

    def event(self, who: str, event: "Event") -> None:
        """Print a round that ended, a notice once, and how many calls are done."""
        from spotui.domain.events import CallFinished, Noticed, RoundFinished, RunStopped
        from spotui.view.telling import line

        if isinstance(event, RoundFinished):
            self.note(f"{who}: {line(event)}")
        elif isinstance(event, RunStopped):
            self.note(f"{who}: {event.cause}")
        elif isinstance(event, Noticed) and event.text not in self._printed:
            self._printed.add(event.text)
            self.note(f"{who}: {event.text}")
        elif isinstance(event, CallFinished) and self._is_watched:
            self._done += 1
            paint(f"\r{who}: {_('call {n:,}', n=self._done)} ", sys.stderr)

    def measured(self, tried: "Tried") -> None:
        """Print what a prompt has shown."""
        from spotui.view.migration import finding_line

        self.note(finding_line(tried))

    def end(self) -> None:
        """Leave the line to what follows."""
        if self._is_watched and self._done:
            self._done = 0
            paint("\r\x1b[K", sys.stderr)
