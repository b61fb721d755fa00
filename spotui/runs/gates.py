"""Gates of a score: what must hold before a prompt may be merged."""

from collections.abc import Sequence
from typing import Final

import msgspec

from spotui.domain.figures import gained, points
from spotui.domain.statistics import Comparison, Score
from spotui.lang import _, ngettext

_CLOSE: Final = 1e-9


class GateResult(msgspec.Struct, frozen=True):
    """What a gate found.

    Attributes:
        name: The flag that asked for it, without its dashes.
        passed: Whether the prompt may pass.
        text: Why, in one or two sentences.
    """

    name: str
    passed: bool
    text: str


def not_below(name: str, score: Score, least: float) -> GateResult:
    """Whether a score reaches a limit; the mean decides, and the interval says how sure that is.

    Args:
        name: The prompt.
        score: Its score, of one row or more.
        least: The limit, 0..1.
    """
    passed = score.mean >= least - _CLOSE
    figures = {
        "name": name,
        "score": points(score.mean),
        "low": points(score.interval.low),
        "high": points(score.interval.high),
        "least": points(least),
    }
    text = (
        _("{name} scores {score} ({low} to {high}), and at least {least} is required.", **figures)
        if passed
        else _("{name} scores {score} ({low} to {high}), below the required {least}.", **figures)
    )
    if least in score.interval:
        text = _(
            "{found} The interval includes {least}, so other rows may decide otherwise.",
            found=text,
            least=points(least),
        )
    return GateResult("fail-below", passed, text)


def not_worse(name: str, reference: str, paired: Comparison | None) -> GateResult:
    """Whether a prompt is not shown to be worse than another on the same rows; the interval decides.

    Args:
        name: The prompt.
        reference: The other one.
        paired: How they compare, from the side of the prompt; None where both are the same text.
    """
    gate = "fail-if-worse-than"
    if paired is None:
        text = _("{name} is the same prompt as {reference}.", name=name, reference=reference)
        return GateResult(gate, passed=True, text=text)
    passed = paired.interval.high >= 0
    gain = gained(paired.difference, (paired.interval.low, paired.interval.high), paired.floor)
    figures = {"name": name, "reference": reference, "gain": gain, "p": f"{paired.p:.3f}"}
    if passed:
        text = _("{name} is not shown to be worse than {reference}: {gain}, p {p}.", **figures)
    else:
        text = _("{name} is worse than {reference}: {gain}, p {p}.", **figures)
    if paired.left_out:
        text = ngettext(
            "{found} {n:,} row has no mark with one of the two and is not compared.",
            "{found} {n:,} rows have no mark with one of the two and are not compared.",
            paired.left_out,
            found=text,
        )
    return GateResult(gate, passed, text)


def have_passed(gates: Sequence[GateResult]) -> bool:
    """Whether every gate lets the prompt pass."""
    return all(one.passed for one in gates)
