"""headroom.json: what a template's probes have shown, beside the answers that they were measured with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import hint_for, read_file, write_file

VERSION = 1
_NAME = "headroom.json"


class HeadroomError(SpotuiError):
    """A headroom result that cannot be used."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """A probe, from its own side.

    Attributes:
        name: What kind of rewrite it is.
        prompt: The whole prompt.
        change: How it differs from the seed.
        rows: Rows, or questions, on which it was compared with the seed.
        score: Its mean mark on these rows; None where answers are compared by a judge.
        gain: Its score less the seed's on the same rows; in duels its win rate less a half.
        interval: Where that lies, for the best of several probes; None where it was not measured further.
        wins: Rows that it does better, or votes for it.
        losses: Rows that it does worse, or votes for the seed.
        ahead: Whether it is ahead of the seed after everything it was asked.
    """

    name: str
    prompt: str
    change: str
    rows: int
    score: float | None
    gain: float
    interval: tuple[float, float] | None = None
    wins: int = 0
    losses: int = 0
    ahead: bool = False


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """The seed against itself.

    Attributes:
        rows: Rows that were asked twice, or votes on the seed against itself.
        changed: Rows with another mark the second time, or votes that chose a side.
        gain: The second score less the first; in duels the share of votes for the second, less a half.
    """

    rows: int
    changed: int
    gain: float


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """What the probes have shown.

    Attributes:
        version: The format of this file.
        template: What the template is called.
        prompt: The seed prompt.
        by: Whether prompts were scored on rows, or their answers compared by a judge.
        found: Whether there is headroom.
        is_sure: Whether that is beyond chance; a few questions can only suggest it.
        score: The seed's score on every row that it was asked; None in duels.
        score_interval: Where it lies.
        rows: Those rows.
        repeated: The seed against itself.
        floor: The A/A floor on the rows of the best probe: a lower gain is within noise. None in duels.
        best: The name of the best probe; empty where no probe could be compared.
        probes: Every probe, the best first.
        left_out: Fixed rewrites that cannot apply.
        method: The method to run; empty without headroom.
        budget: The calls that it should have.
        calls: Calls that were made this time; what was known before cost nothing.
        planned: Calls that it takes from the beginning.
        cost_usd: What they cost.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of the cost is an estimate.
    """

    version: int = VERSION
    template: str
    prompt: str
    by: Literal["rows", "duels"]
    found: bool
    is_sure: bool
    score: float | None
    score_interval: tuple[float, float] | None
    rows: int
    repeated: Repeated
    floor: float | None
    best: str
    probes: tuple[Probed, ...]
    left_out: tuple[str, ...] = ()
    method: str = ""
    budget: int = 0
    calls: int = 0
    planned: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False

    @property
    def winners(self) -> Sequence[Probed]:
        """The probes that are ahead of the seed, the best first."""
        return [one for one in self.probes if one.ahead]


def write_headroom(folder: Path, headroom: Headroom) -> None:
    """Write it down in one step.

    Raises:
        OSError: The disk is full or read-only.
    """
    make_private(folder)
    data = msgspec.json.format(msgspec.json.encode(headroom, enc_hook=as_english), indent=1)
    write_file(folder / _NAME, data + b"\n")


def read_headroom(folder: Path) -> Headroom | None:
    """What was written down, or None where nothing was.

    Raises:
        HeadroomError: It cannot be read.
    """
    path, again = folder / _NAME, _("Measure the headroom again; what was asked is kept.")
    try:
        found = msgspec.json.decode(read_file(path), type=Headroom)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HeadroomError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            hint_for(error, again),
        ) from None
    except msgspec.DecodeError as error:
        raise HeadroomError(_("{path} is damaged: {error}.", path=path, error=error), again) from None
    if found.version > VERSION:
        raise HeadroomError(
            _("{path} was written by a newer spotui.", path=path), _("Update spotui to open it.")
        )
    return found
