"""Figures as people read them: counts, durations, prices, points, and rows of bars."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from spotui.domain.text import width
from spotui.lang import N_, _, ngettext

_BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None], top: float, width: int) -> str:
    """One bar for each value, the last `width` of them.

    Args:
        values: From 0 to `top`; None leaves a gap.
        top: What the highest bar stands for.
        width: In cells.
    """
    shown = values[-width:] if width > 0 else ()
    return "".join(" " if value is None else _bar(value, top) for value in shown)


def _bar(value: float, top: float) -> str:
    steps = len(_BARS) - 1
    return _BARS[min(steps, round(value / top * steps))] if top > 0 else _BARS[0]


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar that grows to the right, in eighths of a cell.

    Args:
        share: The part of the width that it fills, 0..1; what is outside of that is cut off.
        width: In cells.
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


_MONTHS: Final = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)


def usd(cost: float | None, unpriced: int = 0, *, estimated: bool = False) -> str:
    """Money; an unknown price is said to be unknown, never $0.

    Args:
        cost: USD, or None when unknown.
        unpriced: Calls whose price is unknown and that `cost` leaves out.
        estimated: Whether any part of it is an estimate, which a tilde marks.
    """
    if cost is None or (unpriced and not cost):
        return _("$ unknown")
    if estimated and cost:
        return f"~{usd(cost, unpriced)}"
    if 0 < cost < 0.0001:
        known = _("under $0.0001")
    else:
        digits = 2 if cost >= 1 or cost == 0 else 4
        known = f"${cost:.{digits}f}"
    return _("{known} + unknown", known=known) if unpriced else known


def count(number: int, *, estimated: bool = False) -> str:
    """A number of tokens or calls: 950, 12.3k, 4.56M, 7.89B, and ~4.56M where it is estimated in any part."""
    if estimated:
        return f"~{count(number)}"
    if number < 0:
        return f"-{count(-number)}"
    if number < 1000:
        return str(number)
    for unit, one, digits in (("k", 1_000, 1), ("M", 1_000_000, 2)):
        text = f"{number / one:.{digits}f}"
        if float(text) < 1000:  # what is rounded to 1000 of a unit is 1 of the next
            return text + unit
    return f"{number / 1_000_000_000:,.2f}B"


def size(number: int) -> str:
    """The size of a file, of 1000 bytes to the kilobyte: 950 B, 12.3 kB, 4.56 MB, 1.12 GB."""
    text, value = str(number), float(number)
    for unit in ("B", "kB", "MB"):
        if float(text) < 1000:
            return f"{text} {unit}"
        value /= 1000
        text = f"{value:.3g}" if value < 999.5 else f"{value:.0f}"  # three digits of 999.5 are 1e+03
    return f"{text} GB"


# Above these, a span would be rounded to ten seconds, a minute, an hour or a day.
_TENTHS: Final = 9.95
_FEWEST_MINUTES: Final = 59.5
_HOUR: Final = 3599.5
_DAY: Final = 86_370.0


def clock(seconds: float) -> str:
    """A time span as a column or a running clock shows it: 0.4 s, 12 s, 3:07, 1:02:33, 2 d 5 h."""
    if seconds < _FEWEST_MINUTES or seconds >= _DAY:
        return duration(seconds)
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float) -> str:
    """A time span as a sentence has it: 0.4 s, 12 s, 3 min 7 s, 1 h 2 min, 2 d 5 h."""
    if seconds < _TENTHS:
        return f"{seconds:.1f} s"
    if seconds < _FEWEST_MINUTES:
        return f"{round(seconds)} s"
    if seconds < _HOUR:
        minutes, rest = divmod(round(seconds), 60)
        if rest:
            return _("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
        return _("{minutes} min", minutes=minutes)
    if seconds < _DAY:
        hours, minutes = divmod(round(seconds / 60), 60)
        if minutes:
            return _("{hours} h {minutes} min", hours=hours, minutes=minutes)
        return _("{hours} h", hours=hours)
    days, hours = divmod(round(seconds / 3600), 24)
    return _("{days} d {hours} h", days=days, hours=hours) if hours else _("{days} d", days=days)


def points(score: float) -> str:
    """A score as it is shown: of 100."""
    return f"{100 * score:.1f}"


def floor_points(floor: float) -> str:
    """An A/A floor as it is shown; on a few rows no difference is large enough."""
    return points(floor) if floor <= 1 else f">{points(1)}"


def gained(difference: float, interval: tuple[float, float], floor: float = 0.0) -> str:
    """How much better one score is than another, with the interval and, where it is given, the A/A floor."""
    low, high = interval
    found = with_interval(f"{100 * difference:+.1f}", f"{100 * low:+.1f}", f"{100 * high:+.1f}")
    if floor > 1:
        return _("{gained}, too few rows for an A/A floor", gained=found)
    return _("{gained}, A/A floor {floor}", gained=found, floor=floor_points(floor)) if floor else found


def span(low: str, high: str) -> str:
    """From one figure to another: 27.3 to 62.1."""
    return _("{low} to {high}", low=low, high=high)


def with_interval(value: str, low: str, high: str) -> str:
    """A figure with its interval behind it: +47.2 (+27.3 to +62.1)."""
    return _("{value} ({low} to {high})", value=value, low=low, high=high)


def limit(value: float | None) -> str:
    """What may be spent at most: 0.5, 20, no limit."""
    return _("no limit") if value is None else f"{value:,.10g}"


def percent(share: float) -> str:
    """A share from 0 to 1 as whole percent."""
    return f"{share * 100:.0f}%"


def verdict(outcome: str, judged: str | None, preferred: str | None = None) -> str:
    """A verdict, marked where it is the user's.

    Args:
        outcome: The verdict in force.
        judged: The judge's verdict, where the user gave another one.
        preferred: Why a lead is the best although neither votes nor score say so.
    """
    word = _VERDICTS.get(preferred if outcome == "lead" and preferred else outcome, outcome)
    return _("{verdict} (you)", verdict=_(word)) if judged is not None else _(word)


_VERDICTS: Final = {
    "seed": N_("seed"),
    "win": N_("win"),
    "lead": N_("lead"),
    "cheaper": N_("cheaper"),
    "shorter": N_("shorter"),
    "loss": N_("loss"),
    "tie": N_("tie"),
    "undecided": N_("undecided"),
    "refused": N_("refused"),
    "void": N_("void"),
}

_STATES: Final = {
    "running": N_("running"),
    "paused": N_("paused"),
    "stopping": N_("stopping"),
    "interrupted": N_("interrupted"),
    "ended": N_("ended"),
    "foreign": N_("foreign"),
    "damaged": N_("damaged"),
    "finished": N_("finished"),
    "budget": N_("budget"),
    "patience": N_("patience"),
    "target": N_("target"),
    "perfect": N_("perfect"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "unmarked": N_("unmarked"),
    "waiting": N_("waiting"),
}


def state_in_words(state: str) -> str:
    """The state of a run, or the reason why it stopped, in a word."""
    word = _STATES.get(state, state)
    return _(word)


def change_in_words(number: int) -> str:
    """How many words of a prompt differ from those of another."""
    return ngettext("{n:,} word changed", "{n:,} words changed", number)


def cell(value: float | str) -> str:
    """A value of a column or a fact: a whole number whole, another with three digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else value


def round_in_words(number: int) -> str:
    """A round by its number; the first is the seed."""
    return _("seed") if number == 1 else _("round {number}", number=number)


def rounds_named(numbers: Sequence[int]) -> str:
    """Rounds by their numbers: round 2, rounds 2 and 3, rounds 2, 3 and 5."""
    *others, last = map(str, numbers)
    if not others:
        return _("round {number}", number=last)
    return _("rounds {numbers} and {last}", numbers=", ".join(others), last=last)


def moment(at: datetime, now: datetime) -> str:
    """A time as briefly as it is clear: 14:03 today, 2 Nov 14:03 this year, 2 Nov 2025 before.

    Args:
        at: When, with its zone.
        now: The present, with its zone, in which the time is shown.
    """
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    day = {"day": local.day, "month": _(_MONTHS[local.month - 1])}
    if local.year == now.year:
        return _("{day} {month} {time}", **day, time=f"{local:%H:%M}")
    return _("{day} {month} {year}", **day, year=local.year)


def aligned(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """The rows of a table as lines, their columns below each other also where characters take two cells.

    Args:
        rows: The cells; as many in each row.
        left: The columns that begin at the same place; the others end there, as figures do.
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for at, (text, most) in enumerate(zip(row, widths, strict=True)):
            space = " " * (most - width(text))
            cells.append(text + space if at in left else space + text)
        lines.append("  ".join(cells).rstrip())
    return lines
