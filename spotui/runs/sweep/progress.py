"""What happens in a sweep, as its front ends hear it and `--json` prints it: one object a line."""

from typing import Any

import msgspec

from spotui.lang import as_english


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything that happens; the subclasses say what."""


class SweepOpened(Progress, frozen=True, tag="sweep_opened"):
    """The sweep begins or resumes.

    Attributes:
        name: The folder of its runs.
        runs: Runs of the plan.
        ended: Those that ended before.
        workers: Runs that work at once.
    """

    name: str
    runs: int
    ended: int
    workers: int


class RunStarted(Progress, frozen=True, tag="run_started"):
    """A run begins or resumes.

    Attributes:
        run: Its project in the folder of the sweep.
        label: The same for people.
        where: The worker that has it; empty on this machine.
    """

    run: str
    label: str
    where: str = ""


class RunAdvanced(Progress, frozen=True, tag="run_advanced"):
    """A round of a run ended."""

    run: str
    round: int


class RunLost(Progress, frozen=True, tag="run_lost"):
    """The worker of a run was lost; the run resumes elsewhere with all that is in its journal."""

    run: str
    label: str
    where: str


class RunEnded(Progress, frozen=True, tag="run_ended"):
    """A run ended.

    Attributes:
        run: Its project in the folder of the sweep.
        label: The same for people.
        reason: Its stop reason, or `failed` where it could not begin.
        cause: The same in a sentence.
        improved: Whether it found another prompt than the seed.
        calls: Of all its sessions.
        cost_usd: See `calls`; None when a price is unknown.
        ended: Runs of the sweep that ended so far.
        runs: Runs of the plan.
    """

    run: str
    label: str
    reason: str
    cause: str
    improved: bool
    calls: int
    cost_usd: float | None
    ended: int
    runs: int


class TestStarted(Progress, frozen=True, tag="test_started"):
    """The best prompts are tested on unseen rows."""

    groups: int


class Noted(Progress, frozen=True, tag="noted"):
    """Something that a person should know, a sentence."""

    text: str


class SweepEnded(Progress, frozen=True, tag="sweep_ended"):
    """The sweep ends, for now or for good.

    Attributes:
        reason: finished, stopped, budget or failed.
        cause: The same in a sentence.
        failed: Runs that failed.
        table: What was found; None when nothing was tested.
    """

    reason: str
    cause: str
    failed: int
    table: dict[str, Any] | None = None


_encoder = msgspec.json.Encoder(enc_hook=as_english)


def encode_progress(event: Progress) -> bytes:
    """One line of JSON."""
    return _encoder.encode(event) + b"\n"
