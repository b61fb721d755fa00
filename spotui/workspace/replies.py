"""What models replied, found again in a journal."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from spotui.workspace.journal_reader import read_lines
from spotui.workspace.lines import CallKey, CallLine


class _Said(msgspec.Struct):
    """The part of a reply that is text."""

    text: str = ""


_said = msgspec.json.Decoder(_Said)


def read_replies(journal: Path, wanted: Iterable[CallKey]) -> dict[CallKey, str]:
    """The texts of some calls, by the key of their first try; a second try counts, unless it is empty.

    Args:
        journal: The journal.
        wanted: Keys of first tries; one that the journal does not hold is left out.

    Raises:
        JournalError: The journal is damaged.
    """
    keys, found = frozenset(wanted), dict[CallKey, str]()
    for line in read_lines(journal, CallLine):
        if not isinstance(line, CallLine):
            continue
        key = CallKey(line.key.round, line.key.purpose, line.key.index)
        if key in keys:
            text = _said.decode(line.reply).text
            if text.strip() or key not in found:
                found[key] = text
    return found
