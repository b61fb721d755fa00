"""What judge-checks have found: one line for each, the newest last."""

import contextlib
import os
from collections.abc import Collection, Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import hint_for, open_file, read_file

_FILE = "checks.jsonl"
_CALLS = "calls"


class CheckedJudge(msgspec.Struct, frozen=True):
    """What makes two judges the same.

    Attributes:
        models: Their ids, the evaluator's first.
        endpoints: Where each is; empty where its id says it.
        judge: How two sets of answers are compared.
        unit: `set` or `row`.
        json: Whether votes are asked for as JSON.
    """

    models: tuple[str, ...]
    endpoints: tuple[str, ...]
    judge: str
    unit: str
    json: bool


class JudgeCheck(msgspec.Struct, frozen=True):
    """What one check has found.

    Attributes:
        of: The judge.
        template: The name of the template it was checked on.
        at: When, in seconds since 1970.
        comparisons: Answers that were compared with a damaged copy.
        settled: Those that the judge decided rightly.
        pairs: Comparisons whose votes chose a side in both orders.
        flips: Those in which the order decided.
        fit: Whether it may judge a run.
    """

    of: CheckedJudge
    template: str
    at: float
    comparisons: int
    settled: int
    pairs: int
    flips: int
    fit: bool


_encoder = msgspec.json.Encoder(enc_hook=as_english)
_decoder = msgspec.json.Decoder(JudgeCheck)


def calls_folder(folder: Path, template: str, endpoints: Collection[str]) -> Path:
    """Where the calls of checks on a template are kept; it need not exist.

    Args:
        folder: Where all checks are kept.
        template: The template's name.
        endpoints: Where the models are: one of the same name may be another model at another endpoint.
    """
    places = "\n".join(sorted({one for one in endpoints if one}))
    mark = f"-{blake2b(places.encode(), digest_size=4).hexdigest()}" if places else ""
    return folder / _CALLS / f"{template}{mark}"


def remember_check(folder: Path, check: JudgeCheck) -> None:
    """Keep what a check has found.

    Args:
        folder: Where all checks are kept.
        check: The new one.

    Raises:
        SpotuiError: It cannot be written.
    """
    path = folder / _FILE
    try:
        make_private(folder)
        file = open_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            # One write, so that checks that end at once do not mix. A torn line before it is closed first.
            size = os.fstat(file).st_size
            torn = size and os.pread(file, 1, size - 1) != b"\n"
            os.write(file, (b"\n" if torn else b"") + _encoder.encode(check) + b"\n")
        finally:
            os.close(file)
    except OSError as error:
        raise SpotuiError(
            _(
                "{path}: the result of the check cannot be kept ({strerror}).",
                path=path,
                strerror=error.strerror,
            ),
            hint_for(
                error,
                _(
                    "Free space or fix the permissions, and check again: "
                    "the calls are kept and cost nothing more."
                ),
            ),
        ) from None


def recall_check(folder: Path, judge: CheckedJudge, template: str) -> JudgeCheck | None:
    """The newest check of a judge on a template; without one, the newest on any other, or None.

    A line that is no check is passed over: what it said can be had again.

    Args:
        folder: Where all checks are kept.
        judge: Which judge.
        template: The template's name.
    """
    found: JudgeCheck | None = None
    for check in _checks(folder / _FILE):
        if check.of == judge and (found is None or check.template == template or found.template != template):
            found = check
    return found


def _checks(path: Path) -> Iterator[JudgeCheck]:
    try:
        lines = read_file(path).splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError):
            yield _decoder.decode(line)
