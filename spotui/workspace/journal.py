"""The append-only journal of a project: every finished call, every round, every human decision.

A line is in the kernel's hands before its call counts as finished, so `kill -9` loses at most the calls in
flight; a thread carries it to the disk right after, so a power cut loses at most the last instants.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from spotui.domain.records import JOURNAL_VERSION, AnyLine, CallKey, CallLine, JournalLine, Line
from spotui.lang import _, as_english
from spotui.workspace.files import open_file, reading, sync_folder
from spotui.workspace.journal_reader import DAMAGE, JournalChangedError, JournalError, scan, unreadable

# Where the cheaper call is missing (macOS), the other one does.
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalSync:
    """A thread that syncs a file soon after each request; many requests share one sync.

    Args:
        file: An open descriptor; it must stay open until `close` has returned.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._error: OSError | None = None
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="journal-sync", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Sync what was written until now, soon."""
        self._wanted.set()

    def check(self) -> None:
        """Tell of a sync that failed; it is reported once, so that a person can fix the disk and go on.

        Raises:
            OSError: Why it failed.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """Sync what is left, and end.

        Raises:
            OSError: Something did not reach the disk.
        """
        self._closing = True
        self._wanted.set()
        self._thread.join()
        _sync(self._file)
        self.check()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            try:
                _sync(self._file)
            except OSError as error:
                self._error = error


ROOM_TO_KEEP = 16 * 1024 * 1024

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_call_decoder = msgspec.json.Decoder(CallLine)
_encoder = msgspec.json.Encoder(enc_hook=as_english)


class _Position(NamedTuple):
    """Where the line of a finished call is."""

    digest: str
    start: int
    length: int


class Journal:
    """One project's journal, open for reading and, once `writable`, for appending.

    Args:
        path: The file; made when it is missing, `run` is given and it is to be writable.
        run: The id of a new run, or None to open an existing journal.
        writable: Whether lines will be appended. Only one process may do so (see `lock`).
        each: Given every line that is there, from the first to the last, as it is read anyway.

    Raises:
        JournalError: The file is missing, unreadable, no journal, of a newer version, or torn in the middle.

    Attributes:
        dropped: Bytes of a torn last line that were left out, 0 for a sound journal.
    """

    def __init__(
        self,
        path: Path,
        *,
        run: str | None = None,
        writable: bool = False,
        each: Callable[[AnyLine], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.dropped = 0
        self._calls: dict[CallKey, tuple[_Position, ...]] = {}
        self._length = 0
        self._torn = False
        self._sync: JournalSync | None = None
        self._follow: Callable[[bytes], None] | None = None
        flags = (os.O_RDWR | os.O_APPEND) if writable else os.O_RDONLY
        try:
            self._file = open_file(path, flags | (os.O_CREAT if run and writable else 0))
        except OSError as error:
            raise unreadable(path, error) from None
        try:
            opened = os.fstat(self._file)
            self._identity = (opened.st_dev, opened.st_ino)
            self._index(each)
            if writable:
                self._begin(run)
        except OSError as error:
            self.close()
            raise unreadable(path, error) from None
        except BaseException:
            self.close()
            raise

    def _index(self, each: Callable[[AnyLine], None]) -> None:
        """Read every line once: remember where the calls are, and how long the sound part is."""
        with reading(self.path) as file:
            for raw, line in scan(self.path, file):
                self._take(line, len(raw))
                if line is not None:
                    each(line)
            self.dropped = file.tell() - self._length

    def _take(self, line: AnyLine | Line | None, length: int) -> None:
        """Count a line that is in the file, and remember where it is if it is a call."""
        if isinstance(line, CallLine):
            before = self._calls.get(line.key, ())
            self._calls[line.key] = (_Position(line.digest, self._length, length), *before)
        self._length += length

    def _begin(self, run: str | None) -> None:
        if self._length == 0 and run is None:
            raise JournalError(
                _("The journal {path} is empty.", path=self.path),
                _("Start over with --fresh; the archive keeps what was there."),
            )
        self._torn = self.dropped > 0
        self._cut()
        self._sync = JournalSync(self._file)
        if self._length == 0 and run is not None:
            self.append(JournalLine(version=JOURNAL_VERSION, run=run))
            sync_folder(self.path.parent)

    def lines(self) -> Iterator[AnyLine]:
        """Every sound line from the first to the last.

        Raises:
            JournalError: The file cannot be read any more.
        """
        left = self._length
        try:
            with reading(self.path) as file:
                while left > 0:
                    raw = file.readline()
                    left -= len(raw)
                    yield _decoder.decode(raw)
        except OSError as error:
            raise unreadable(self.path, error) from None
        except DAMAGE:
            raise self._changed(
                _("Another program has changed the journal {path}.", path=self.path)
            ) from None

    def holds(self, key: CallKey) -> bool:
        """Whether there is a finished call of that key, whatever it asked."""
        return key in self._calls

    def call(self, key: CallKey, digest: str) -> CallLine | None:
        """The finished call that `key` asked for with exactly this request, or None.

        Raises:
            JournalError: The file cannot be read any more, or was changed.
        """
        at = next((one for one in self._calls.get(key, ()) if one.digest == digest), None)
        if at is None:
            return None
        try:
            return _call_decoder.decode(os.pread(self._file, at.length, at.start))
        except OSError as error:
            raise unreadable(self.path, error) from None
        except DAMAGE:
            raise self._changed(
                _("Another program has changed the journal {path}.", path=self.path)
            ) from None

    def append(self, line: Line) -> None:
        """Add a line; it survives the end of this process once this returns.

        Raises:
            JournalError: The disk is full, the file cannot be written, or the line holds what is no text; the
                journal is as it was before.
        """
        try:
            raw = _encoder.encode(line) + b"\n"
        except UnicodeEncodeError:
            raise JournalError(
                _("A text that holds half a character (a lone surrogate) cannot be kept."),
                _("Take the broken character out."),
            ) from None
        self._add(raw)
        self._take(line, len(raw))

    def append_raw(self, raw: bytes) -> None:
        """Add whole lines that another machine has encoded; they are not looked up here.

        Raises:
            JournalError: As `append`.
        """
        self._add(raw)
        self._length += len(raw)

    def follow(self, listener: Callable[[bytes], None]) -> None:
        """Report every line from now on, once it is written; the listener keeps it, so no disk is waited for.

        Raises:
            OSError: What was there before did not reach the disk.
        """
        if self._sync is not None:
            self._sync.close()
            self._sync = None
        self._follow = listener

    async def settled(self) -> None:
        """Wait until every line so far is where it is safe: that is here, so there is nothing to wait for."""

    def _add(self, raw: bytes) -> None:
        """Write whole lines at the end.

        Raises:
            JournalError: As `append`.
        """
        self.check_untouched()
        try:
            if self._sync is not None:
                self._sync.check()
            self._cut()
            self._write(raw)
        except OSError as error:
            raise self._unwritable(error) from None
        if self._sync is not None:
            self._sync.request()
        if self._follow is not None:
            self._follow(raw)

    def check_untouched(self) -> None:
        """Make sure that no other program has changed the file, which is then never written again.

        Raises:
            JournalChangedError: It was cut, written to, deleted, or replaced by another file.
        """
        try:
            try:
                there = self.path.stat(follow_symlinks=False)
            except FileNotFoundError:  # its folder was moved, and the file is open still; or it was deleted
                there = os.fstat(self._file)
        except OSError as error:
            raise self._unwritable(error) from None
        is_as_it_was = there.st_size == self._length or (self._torn and there.st_size > self._length)
        if there.st_nlink == 0 or (there.st_dev, there.st_ino) != self._identity:
            raise self._changed(
                _("Another program has deleted or replaced the journal {path}.", path=self.path)
            )
        if not is_as_it_was:
            raise self._changed(
                _(
                    "Another program has changed the journal {path}: it has {size:,} bytes instead of "
                    "{length:,}.",
                    path=self.path,
                    size=there.st_size,
                    length=self._length,
                )
            )

    def _changed(self, what: str) -> JournalChangedError:
        return JournalChangedError(
            what,
            _("Nothing more was written to it. Restore it from a backup and resume."),
        )

    def _write(self, raw: bytes) -> None:
        rest = memoryview(raw)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._torn = len(rest) < len(raw)
            self._cut()
            raise

    def _cut(self) -> None:
        """Take away what is there of a line that was never finished."""
        if self._torn:
            os.ftruncate(self._file, self._length)
            self._torn = False

    def check_room(self) -> None:
        """Make sure that a reply could be kept before it is bought.

        Raises:
            JournalError: Less than 16 MiB are free.
        """
        try:
            disk = os.statvfs(self.path.parent)
        except OSError as error:
            raise self._unwritable(error) from None
        if disk.f_bavail * disk.f_frsize < ROOM_TO_KEEP:
            raise JournalError(
                _("The disk that holds {parent} is full.", parent=self.path.parent),
                _("Free some space and resume; nothing was lost."),
            )

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            _("The journal {path} cannot be written: {strerror}.", path=self.path, strerror=error.strerror),
            _("Free or repair the disk and resume; every call written before is kept."),
        )

    def close(self) -> None:
        """Bring everything to the disk and let go of the file; safe to call twice.

        Raises:
            JournalError: The disk did not take the last lines.
        """
        if self._file < 0:
            return
        try:
            if self._sync is not None:
                self._sync.close()
        except OSError as error:
            raise self._unwritable(error) from None
        finally:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
