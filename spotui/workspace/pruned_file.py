"""pruned.json: a shorter form of a project's best prompt, with its receipt. The best is never changed."""

from datetime import datetime
from typing import Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.records import now
from spotui.lang import _, as_english
from spotui.workspace.files import hint_for, read_file, write_file
from spotui.workspace.projects import Project

VERSION = 1
_NAME = "pruned.json"

Verdict = Literal["within_margin", "unsure", "worse", "nothing"]
"""What the comparison shows: no loss beyond the margin, too little to say so, a loss, or nothing to cut."""


class PrunedError(SpotuiError):
    """A pruned prompt that cannot be used."""


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """A shorter prompt and what is known of it.

    Attributes:
        version: The format of this file.
        at: When it was found.
        round: The round whose prompt was shortened.
        full: That prompt.
        prompt: The shorter one; the same where nothing can go.
        cut: What went, in the order of the prompt.
        tokens_before: Of the full prompt, estimated.
        tokens_after: Of the shorter one.
        pieces: Sentences, items and blocks of the full prompt that were tried.
        kept_safe: Pieces that were not tried, as cutting them could break slots, tags or code.
        verdict: What the comparison shows.
        by: Whether rows were marked, or answers compared by a judge.
        margin: The loss that counts as none, 0..1.
        difference: The mean mark of the shorter one less that of the full one, row by row; in duels the share
            of questions that it wins less the share that it loses.
        interval: Where that lies, 95%.
        rows: Rows, or questions, that both were compared on.
        is_unseen: Whether the search for what to cut had not seen these.
        wins: Those that the shorter one does better.
        losses: Those that it does worse.
        ties: Those without a difference.
        searched: Rows, or questions, that the search compared on.
        calls: Calls that were made this time; what was known before cost nothing.
        cost_usd: What they cost.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of the cost is an estimate.
    """

    version: int = VERSION
    at: datetime = msgspec.field(default_factory=now)
    round: int
    full: str
    prompt: str
    cut: tuple[str, ...]
    tokens_before: int
    tokens_after: int
    pieces: int
    kept_safe: int
    verdict: Verdict
    by: Literal["rows", "duels"]
    margin: float
    difference: float = 0.0
    interval: tuple[float, float] | None = None
    rows: int = 0
    is_unseen: bool = False
    wins: int = 0
    losses: int = 0
    ties: int = 0
    searched: int = 0
    calls: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False


def write_pruned(project: Project, pruned: Pruned) -> None:
    """Keep it with its project, in one step.

    Raises:
        OSError: The disk is full or read-only.
    """
    data = msgspec.json.format(msgspec.json.encode(pruned, enc_hook=as_english), indent=1)
    write_file(project.folder / _NAME, data + b"\n")


def read_pruned(project: Project) -> Pruned | None:
    """The shorter prompt of a project, or None where it has none.

    Raises:
        PrunedError: It cannot be read.
    """
    path, again = project.folder / _NAME, _("Prune the project again; what was asked is kept.")
    try:
        found = msgspec.json.decode(read_file(path), type=Pruned)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PrunedError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            hint_for(error, again),
        ) from None
    except msgspec.DecodeError as error:
        raise PrunedError(_("{path} is damaged: {error}.", path=path, error=error), again) from None
    if found.version > VERSION:
        raise PrunedError(
            _("{path} was written by a newer spotui.", path=path), _("Update spotui to open it.")
        )
    return found
