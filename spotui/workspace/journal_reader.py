"""Reading a journal's lines, and telling a torn end from damage."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from spotui.errors import SpotuiError
from spotui.events import WireError, decode_event
from spotui.workspace.calls import Reply, Request
from spotui.workspace.files import hint_for, lines_of, reading
from spotui.workspace.lines import (
    JOURNAL_VERSION,
    AnyLine,
    CallLine,
    JournalLine,
    LimitsLine,
    Line,
    RoundLine,
)

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_request_decoder = msgspec.json.Decoder(Request)
_reply_decoder = msgspec.json.Decoder(Reply)

DAMAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of bytes that are not a line."""

_WRONG_CONTENT = (*DAMAGE, WireError)


class JournalError(SpotuiError):
    """The journal cannot be read or written; nothing in it was changed."""


class JournalChangedError(JournalError):
    """Another program changed the journal while it was open, so that nothing more can be kept in it."""


def read_lines(path: Path, *kinds: type[Line]) -> Iterator[AnyLine]:
    """The lines of these kinds, skipping the others unread: quick even where a journal is long.

    Args:
        path: A journal; a missing one has no lines.
        kinds: RoundLine, StopLine, and others with a tag of their own.

    Raises:
        JournalError: The file cannot be read, is no journal or a newer one's, or a line of these kinds is
            damaged.
    """
    heads = tuple(b'{"kind":"%s",' % str(kind.__struct_config__.tag).encode() for kind in kinds)
    try:
        with reading(path) as file:
            for raw, line in scan(path, file, heads):
                if line is not None and raw.startswith(heads):
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from None


def scan(
    path: Path, file: BinaryIO, heads: tuple[bytes, ...] = (b"",)
) -> Iterator[tuple[bytes, AnyLine | None]]:
    """Every sound line as it stands, decoded when it is the first or begins with one of `heads`.

    Args:
        path: What to call the file in an error.
        file: At its beginning.
        heads: How the lines begin that are wanted.

    Raises:
        JournalError: A line other than a torn last one is damaged, or the file is no journal of this version.
    """
    for number, raw in enumerate(lines_of(path, file), 1):
        if not raw.endswith(b"\n"):
            return
        line = None
        if number == 1 or raw.startswith(heads):
            try:
                line = _decode(raw)
            except _WRONG_CONTENT as error:
                if _is_torn(raw, file):
                    return
                raise JournalError(
                    f"Line {number} of {path} is damaged: {str(error).rstrip('.')}.",
                    "The other lines are intact: take that one out by hand, or restore a backup.",
                ) from None
            if number == 1:
                _check_version(path, line)
        yield raw, line


def _decode(raw: bytes) -> AnyLine:
    line = _decoder.decode(raw)
    match line:
        case CallLine():  # request and reply are passed over unread; damage in them counts as well
            _request_decoder.decode(line.request)
            _reply_decoder.decode(line.reply)
        case RoundLine():
            for event in line.told:
                decode_event(event)
        case LimitsLine():
            from spotui.settings.valid import InvalidSettingError, check_limits  # Home does without settings

            try:
                # Version 1 took a budget of 0 from the wire, for "no further call".
                check_limits({name: value for name, value in line.changes.items() if value != 0})
            except InvalidSettingError as error:
                raise msgspec.ValidationError(str(error)) from None
        case _:
            pass
    return line


def _is_torn(raw: bytes, file: BinaryIO) -> bool:
    """Whether a bad line is what a power cut left at the end, and not somebody's line that we cannot read."""
    try:
        msgspec.json.decode(raw)
    except DAMAGE:
        return next(file, None) is None
    return False


def _check_version(path: Path, first: AnyLine) -> None:
    if not isinstance(first, JournalLine):
        raise JournalError(f"{path} does not begin with the line that says its format.", "Restore a backup.")
    if first.version > JOURNAL_VERSION:
        raise JournalError(
            f"{path} was written by a newer spotui (format {first.version}).", "Update spotui to open it."
        )


def unreadable(path: Path, error: OSError) -> JournalError:
    """What to tell of a journal that the system does not let us read."""
    return JournalError(
        f"The journal {path} cannot be read: {error.strerror}.",
        hint_for(error, "Check that it is there, and its permissions."),
    )
