"""SPO's own files, as its reference reads and writes them: results.json, prompt.txt, answers.txt.

For a project of ours they are a projection of the journal; for a workspace that the reference wrote they
are all there is.
"""

import errno
import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from spotui.domain.errors import SpotuiError, limit_reached
from spotui.domain.records import AnswerRecord, RoundLine, now
from spotui.domain.text import whole_text
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.lang import _, as_english
from spotui.workspace.files import Folder, hint_for, open_file, read_file

RESULTS = "results.json"
WRITTEN = "spo-rounds.txt"
"""A file of the project that holds a fingerprint of each round that spotui has put into results.json."""


class ResultsError(SpotuiError):
    """A results.json that cannot be read; it is never overwritten."""


Scalar = str | int | float | bool | None


class _Answer(msgspec.Struct):
    """An answer as the reference may have stored it: its YAML reader makes numbers of some texts."""

    question: Scalar = ""
    answer: Scalar = ""


class _Entry(msgspec.Struct):
    """An object of results.json as lenient as it can be read."""

    round: int
    answers: list[_Answer]
    prompt: Scalar
    succeed: bool
    tokens: int = 0
    time: Scalar = ""


class SpoRound(msgspec.Struct, frozen=True):
    """One object of results.json, its keys in the reference's order."""

    round: int
    answers: tuple[AnswerRecord, ...]
    prompt: str
    succeed: bool
    tokens: int
    time: str


def spo_time(moment: datetime) -> str:
    """A moment as SPO writes it: local, naive, with microseconds."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def project_rounds(lines: Sequence[RoundLine]) -> list[SpoRound]:
    """What SPO would have stored for these rounds; a void round has no answers and is left out."""
    return [
        SpoRound(
            round=line.round,
            answers=tuple(one for one in line.answers if not one.error),
            prompt=line.prompt,
            succeed=line.outcome in BEST_SO_FAR,
            tokens=line.tokens,
            time=spo_time(line.at),
        )
        for line in lines
        if line.answers or line.added
    ]


def encode_results(rounds: Sequence[SpoRound]) -> bytes:
    """results.json, byte for byte as the reference writes it."""
    return json.dumps(msgspec.to_builtins(list(rounds), enc_hook=as_english), default=str, indent=4).encode(
        "ascii"
    )


def encode_answers(answers: Sequence[AnswerRecord]) -> bytes:
    """answers.txt, byte for byte as the reference writes it."""
    return encode_prompt("".join(f"Question:\n{a.question}\nAnswer:\n{a.answer}\n\n" for a in answers))


def encode_prompt(prompt: str) -> bytes:
    """prompt.txt: the prompt and nothing else."""
    return whole_text(prompt).encode()


def write_rounds(prompts: Path, rounds: Sequence[SpoRound]) -> None:
    """Bring the files under `prompts` up to date with these rounds; what already is stays untouched.

    A damaged results.json is set aside, not overwritten, and a round that SPO's own tool has added meanwhile
    is kept. A round's own files come first, so that whoever finds it in results.json finds them.

    Args:
        prompts: The folder; the project's own must exist, so that a project that was moved is not made anew.
        rounds: All rounds, lowest number first.

    Raises:
        OSError: The disk is full or read-only; every file is either old or new, never half.
    """
    with Folder.at(prompts.parent) as project, project.inside(prompts.name, make=True) as folder:
        for one in rounds:
            with folder.inside(f"round_{one.round}", make=True) as round_folder:
                _refresh(round_folder, "prompt.txt", encode_prompt(one.prompt))
                _refresh(round_folder, "answers.txt", encode_answers(one.answers))
        there, _ = _sound_results(prompts)
        if there == list(rounds):
            return
        changed = set(there) - set(rounds)
        known = {fingerprint(one) for one in rounds} | read_written(prompts.parent) if changed else set()
        added = [one for one in there if one in changed and fingerprint(one) not in known]
        note_written(prompts.parent, set(rounds) - set(there))
        _refresh(folder, RESULTS, encode_results([*rounds, *added]))


def fingerprint(spo_round: SpoRound) -> str:
    """What a round is recognised by: its number, prompt and answers, whatever became of its verdict."""
    from hashlib import sha256  # OpenSSL, which Home need not load

    answers = [[whole_text(each.question), whole_text(each.answer)] for each in spo_round.answers]
    return sha256(json.dumps([spo_round.round, whole_text(spo_round.prompt), answers]).encode()).hexdigest()[
        :16
    ]


def read_written(folder: Path) -> set[str]:
    """The fingerprints of the rounds that spotui has put into a project's results.json.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return set(read_file(folder / WRITTEN).decode("ascii", "replace").split())
    except FileNotFoundError:
        return set()


def note_written(folder: Path, rounds: Iterable[SpoRound]) -> None:
    """Remember that these rounds are known to spotui, before they are in results.json.

    Raises:
        OSError: The disk is full or read-only.
    """
    if text := "".join(f"{fingerprint(one)}\n" for one in rounds):
        with os.fdopen(open_file(folder / WRITTEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "wb") as file:
            file.write(text.encode())


def _refresh(folder: Folder, name: str, data: bytes) -> None:
    if not folder.holds(name, data):
        folder.replace(name, data)


def read_rounds(prompts: Path) -> list[SpoRound]:
    """The rounds that results.json holds, in its order; empty when there is no such file.

    Raises:
        ResultsError: It is not what SPO writes.
    """
    path = prompts / RESULTS
    try:
        data = _results(prompts)
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = hint_for(error, _("Check its permissions."))
        raise ResultsError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror), hint
        ) from None
    return _decode(path, data)


def _results(prompts: Path) -> bytes:
    with Folder.at(prompts.parent) as project, project.inside(prompts.name) as folder:
        return folder.read(RESULTS)


def _decode(path: Path, data: bytes) -> list[SpoRound]:
    try:
        entries = msgspec.convert(json.loads(data), list[_Entry])
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ResultsError(
            _("{path} is damaged: {error}.", path=path, error=error),
            _("It was left as it is. Restore it from a backup, or resume the run if it has a journal."),
        ) from None
    return [
        SpoRound(
            round=entry.round,
            answers=tuple(AnswerRecord(_text(one.question), _text(one.answer)) for one in entry.answers),
            prompt=_text(entry.prompt),
            succeed=entry.succeed,
            tokens=entry.tokens,
            time=_text(entry.time),
        )
        for entry in entries
    ]


def _text(value: Scalar) -> str:
    return "" if value is None else whole_text(str(value))


def set_aside_if_damaged(prompts: Path) -> Path | None:
    """Move a damaged results.json out of the way, so that the journal can restore it.

    Returns:
        Where the damaged file is now, or None when there was nothing wrong with it.

    Raises:
        ResultsError: It cannot be read, or is damaged and cannot be moved.
    """
    try:
        return _sound_results(prompts)[1]
    except OSError as error:
        raise ResultsError(
            _(
                "{prompts} cannot be read, or moved out of the way: {strerror}.",
                prompts=prompts / RESULTS,
                strerror=error.strerror,
            ),
            hint_for(error, _("Move it out of the way and try again.")),
        ) from None


def _sound_results(prompts: Path) -> tuple[list[SpoRound], Path | None]:
    """The rounds of results.json; a damaged one is moved out of the way, and its new place is returned."""
    try:
        return _decode(prompts / RESULTS, _results(prompts)), None
    except FileNotFoundError:
        return [], None
    except (ResultsError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:  # too large to check is not damaged
            return [], None
        if isinstance(error, OSError) and limit_reached(error) is not None:
            raise
        aside = f"results.damaged-{now():%Y%m%d-%H%M%S-%f}.json"
        with Folder.at(prompts.parent) as project, project.inside(prompts.name) as folder:
            folder.rename(RESULTS, aside)
        return [], prompts / aside
