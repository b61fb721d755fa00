"""A sweep as it is kept: sweep.json with its words and its table, runs.jsonl with every run that ended.

The runs themselves are projects; these files save whoever looks from reading all of their journals.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.verdicts import StopReason
from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import lines_of, open_file, reading
from spotui.workspace.record_folder import Record, RecordFolder

VERSION: Final = 1

_RUNS: Final = "runs.jsonl"


class SweepError(SpotuiError):
    """A sweep that cannot be read."""


class EndedRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of a sweep that ended; one that was resumed has several lines, and the last one counts.

    Attributes:
        name: Its project in the folder of the sweep.
        reason: Why it stopped.
        cause: The same in a sentence.
        prompt: Its best prompt.
        improved: Whether that is another one than the seed.
        rounds: How many ended.
        seconds: How long it worked.
        calls: Of all sessions.
        prompt_tokens: See `calls`.
        completion_tokens: See `calls`.
        cost_usd: See `calls`.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of tokens and cost is an estimate.
    """

    name: str
    reason: StopReason
    cause: str = ""
    prompt: str = ""
    improved: bool = False
    rounds: int = 0
    seconds: float = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False


class SweepRecord(Record, frozen=True, kw_only=True):
    """A sweep.

    Attributes:
        plan: The plan's file.
        runs: How many runs the plan has.
        seconds: How long the sweep was worked on, all sessions together.
        table: What was found, once it was; see `runs.sweep.table`.
    """

    version: int = VERSION
    plan: str
    runs: int
    seconds: float = 0.0
    table: dict[str, Any] | None = None


_encoder = msgspec.json.Encoder(enc_hook=as_english)
_decoder = msgspec.json.Decoder(EndedRun)


class SweepFolder(RecordFolder[SweepRecord]):
    """Where a sweep is kept; see `RecordFolder`."""

    file = "sweep.json"
    lock_name = "sweep"
    record = SweepRecord
    newest = VERSION
    error = SweepError

    def ended(self) -> dict[str, EndedRun]:
        """Every run that ended, by name; a line that was cut off by a crash is left out.

        Raises:
            SweepError: The file cannot be read.
        """
        return {one.name: one for one in self._lines()}

    def add(self, run: EndedRun) -> None:
        """Write down a run that ended.

        Raises:
            OSError: The disk is full or read-only.
        """
        make_private(self.folder)
        file = open_file(self.folder / _RUNS, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            size = os.fstat(file).st_size
            is_whole = not size or os.pread(file, 1, size - 1) == b"\n"
            os.write(file, (b"" if is_whole else b"\n") + _encoder.encode(run) + b"\n")
        finally:
            os.close(file)

    def tests(self, group: str) -> Path:
        """Where the answers to the test rows are kept of runs that are tested alike."""
        return self.folder / f"test-{group}"

    def _lines(self) -> Iterator[EndedRun]:
        path = self.folder / _RUNS
        try:
            with reading(path) as file:
                for line in lines_of(path, file):
                    try:
                        yield _decoder.decode(line)
                    except msgspec.DecodeError:
                        continue
        except FileNotFoundError:
            return
        except OSError as error:
            raise SweepError(
                _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror), self.advice()
            ) from None
