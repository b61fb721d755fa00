"""Reads a journal: its lines, a torn end, damage, and the replies it holds."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.records import (
    JOURNAL_VERSION,
    AnyLine,
    CallKey,
    CallLine,
    JournalLine,
    LimitsLine,
    Line,
    RoundLine,
)
from spotui.lang import _
from spotui.workspace.files import hint_for, lines_of, open_file, reading

if TYPE_CHECKING:
    from spotui.domain.calls import Reply, Request

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)

DAMAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of bytes that are not a line."""


_LONGEST_HEAD = 4096
_HEAD = b'{"kind":"journal",'


class JournalError(SpotuiError):
    """The journal cannot be read or written; nothing in it was changed."""


class JournalChangedError(JournalError):
    """Another program changed the journal while it was open, so that nothing more can be kept in it."""


def read_lines(path: Path, *kinds: type[Line], holding: bytes = b"") -> Iterator[AnyLine]:
    """The lines of these kinds, skipping the others unread: quick even where a journal is long.

    Args:
        path: A journal; a missing one has no lines.
        kinds: RoundLine, StopLine, and others with a separate tag.
        holding: Bytes that a line has to hold.

    Raises:
        JournalError: The file cannot be read, is no journal or a newer one's, or a line of these kinds is
            damaged.
    """
    heads = tuple(b'{"kind":"%s",' % str(kind.__struct_config__.tag).encode() for kind in kinds)
    try:
        with reading(path) as file:
            for raw, line in scan(path, file, heads, holding):
                if line is not None and raw.startswith(heads):
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from None


def scan(
    path: Path, file: BinaryIO, heads: tuple[bytes, ...] = (b"",), holding: bytes = b""
) -> Iterator[tuple[bytes, AnyLine | None]]:
    """Every sound line as it stands, decoded when it is the first or begins with one of `heads`.

    Args:
        path: What to call the file in an error.
        file: At its beginning.
        heads: How the lines begin that are wanted.
        holding: What they hold.

    Raises:
        JournalError: A line other than a torn last one is damaged, or the file is no journal of this version.
    """
    for number, raw in enumerate(lines_of(path, file), 1):
        if not raw.endswith(b"\n"):
            return
        line = None
        if number > 1 and raw.startswith(_HEAD):
            raise JournalError(
                _("Line {number} of {path} begins another journal.", number=number, path=path),
                _("Take out by hand what was put together with the first, or restore a backup."),
            )
        if number == 1 or (raw.startswith(heads) and holding in raw):
            try:
                line = _decode(raw)
            except DAMAGE as error:
                if _is_torn(raw, file):
                    return
                raise JournalError(
                    _(
                        "Line {number} of {path} is damaged: {error}.",
                        number=number,
                        path=path,
                        error=str(error).rstrip("."),
                    ),
                    _("The other lines are intact: take that one out by hand, or restore a backup."),
                ) from None
            if number == 1:
                _check_version(path, line)
        yield raw, line


def run_of(path: Path) -> str:
    """The id of the run that a journal is of; empty where it has no line yet, or none that can be read.

    Raises:
        OSError: It cannot be read.
    """
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        first = file.readline(_LONGEST_HEAD)
    try:
        line = _decoder.decode(first)
    except DAMAGE:
        return ""
    return line.run if isinstance(line, JournalLine) else ""


def _decode(raw: bytes) -> AnyLine:
    line = _decoder.decode(raw)
    match line:
        case CallLine():  # request and reply are passed over unread; damage in them counts as well
            request_decoder, reply_decoder = _call_decoders()
            request_decoder.decode(line.request)
            reply_decoder.decode(line.reply)
        case RoundLine() if line.told:
            from spotui.domain.event_lines import WireError, decode_event

            try:
                for event in line.told:
                    decode_event(event)
            except WireError as error:
                raise msgspec.ValidationError(str(error)) from None
        case LimitsLine():
            from spotui.settings.table import check_limits
            from spotui.settings.values import InvalidSettingError

            try:
                # Version 1 took a budget of 0 from the wire, for "no further call".
                check_limits({name: value for name, value in line.changes.items() if value != 0})
            except InvalidSettingError as error:
                raise msgspec.ValidationError(str(error)) from None
        case _:
            pass
    return line


@cache
def _call_decoders() -> "tuple[msgspec.json.Decoder[Request], msgspec.json.Decoder[Reply]]":
    """Those of a call's two halves; a list of runs reads no calls, and does without them."""
    from spotui.domain.calls import Reply, Request

    return msgspec.json.Decoder(Request), msgspec.json.Decoder(Reply)


def _is_torn(raw: bytes, file: BinaryIO) -> bool:
    """Whether a bad line is what a power cut left at the end, and not somebody's line that we cannot read."""
    try:
        msgspec.json.decode(raw)
    except DAMAGE:
        return next(file, None) is None
    return False


def _check_version(path: Path, first: AnyLine) -> None:
    if not isinstance(first, JournalLine):
        raise JournalError(
            _("{path} does not begin with the line that says its format.", path=path), _("Restore a backup.")
        )
    if first.version > JOURNAL_VERSION:
        raise JournalError(
            _("{path} was written by a newer spotui (format {version}).", path=path, version=first.version),
            _("Update spotui to open it."),
        )


def unreadable(path: Path, error: OSError) -> JournalError:
    """What to tell of a journal that the system does not let us read."""
    return JournalError(
        _("The journal {path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
        hint_for(error, _("Check that it is there, and its permissions.")),
    )


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
        key = CallKey(line.key.round, line.key.purpose, line.key.index, candidate=line.key.candidate)
        if key in keys:
            text = _said.decode(line.reply).text
            if text.strip() or key not in found:
                found[key] = text
    return found


class _Traced(msgspec.Struct):
    """The part of a reply that says how it came about."""

    trace: str = ""


_traced = msgspec.json.Decoder(_Traced)


def read_traces(journal: Path, purpose: str) -> dict[CallKey, list[str]]:
    """The traces of all calls of a purpose, by the key of their first try: one for each turn that has one.

    Args:
        journal: The journal.
        purpose: That of the calls.

    Raises:
        JournalError: The journal is damaged.
    """
    found: dict[CallKey, dict[int, str]] = {}
    # A quotation mark inside of a text is escaped, so this is the field and nothing that a model wrote.
    for line in read_lines(journal, CallLine, holding=b',"trace":"'):
        if isinstance(line, CallLine) and line.key.purpose == purpose:
            key = CallKey(line.key.round, purpose, line.key.index, candidate=line.key.candidate)
            if trace := _traced.decode(line.reply).trace:  # a second try comes later, and counts
                found.setdefault(key, {})[line.key.turn] = trace
    return {key: [text for _turn, text in sorted(turns.items())] for key, turns in found.items()}
