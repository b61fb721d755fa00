"""Text as lines of a given width, fast enough for thousands of entries at once.

Textual's own wrapping keeps styles through it and takes twenty times as long; a log needs neither.
"""

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

_WORDS = re.compile(r"(\S*)(\s*)")


def wrap(text: str, width: int) -> list[str]:
    """Break a text at its line ends, and between words where a line would be wider than `width`.

    Args:
        text: Any text; a tab counts as one blank.
        width: In cells, at least 1. A word that is wider is broken anywhere; so are texts without blanks.

    Returns:
        At least one line, none with blanks at its end.
    """
    lines: list[str] = []
    for line in text.expandtabs(1).splitlines() or [""]:
        if len(line) <= width and line.isascii():
            lines.append(line.rstrip())
        else:
            lines += _wrap_line(line, max(1, width))
    return lines


def _wrap_line(line: str, width: int) -> Iterator[str]:
    measure = len if line.isascii() else cell_len
    kept, room = "", width
    for bare, blanks in _WORDS.findall(line):
        size = measure(bare)
        if size > room:
            if kept.strip():
                yield kept.rstrip()
            kept, room = "", width
        if size > width:
            *full, rest = chop_cells(bare, width)
            yield from full
            kept, room = rest + blanks, width - measure(rest) - measure(blanks)
        else:
            kept += bare + blanks
            room -= size + measure(blanks)
    yield kept.rstrip()
