"""Compares what a file says of a prompt with the journal of its run, without a model."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import usd
from spotui.domain.records import RoundLine
from spotui.domain.statistics import score
from spotui.domain.text import short, visible
from spotui.lang import N_, _, ngettext
from spotui.runs.recorder import Earlier
from spotui.view.report.claims import Claims
from spotui.view.report.receipt import Figure, Receipt, figures_of, hash_of, make_receipt, picture_of
from spotui.view.word_diff import word_diff, words_changed
from spotui.workspace.history import History, read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot

_CLOSE: Final = 1e-9
_FIGURE: Final = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?|[0-9a-f]{64}")


class _Group(NamedTuple):
    """Fields of a receipt that are compared together.

    Attributes:
        name: What they are about.
        fields: The fields.
        figures: The figures that show them.
    """

    name: str
    fields: tuple[str, ...]
    figures: tuple[str, ...]


_GROUPS: Final = (
    _Group(N_("prompt"), ("prompt",), ()),
    _Group(N_("prompt hash"), ("prompt_sha256",), ("prompt_sha256",)),
    _Group(N_("run"), ("project", "run", "template", "method", "models", "round", "verdict"), ("verdict",)),
    _Group(N_("score"), ("score", "score_interval"), ("score",)),
    _Group(N_("win rate"), ("win_rate", "win_interval"), ("win_rate",)),
    _Group(
        N_("test"),
        (
            *("test_rows", "test_score", "test_interval", "seed_test_score"),
            *("test_gain", "test_gain_interval", "test_floor"),
        ),
        ("test_score", "test_gain"),
    ),
    _Group(N_("final check"), ("check_win_rate", "check_interval"), ("check_win_rate",)),
    _Group(N_("cost"), ("cost_usd", "unpriced", "estimated"), ("cost_usd",)),
    _Group(
        N_("calls"),
        ("rounds", "calls", "prompt_tokens", "completion_tokens", "seconds"),
        ("rounds", "calls", "tokens", "seconds"),
    ),
)
"""What is compared. Which version wrote a receipt makes no difference."""


class Check(NamedTuple):
    """One thing that was compared.

    Attributes:
        name: What.
        agrees: Whether file and journal say the same.
        text: What they agree on, or what each of them says.
    """

    name: str
    agrees: bool
    text: str


class Verification(NamedTuple):
    """What a comparison found.

    Attributes:
        project: The project's name.
        round: The round whose prompt the file has.
        checks: What was compared.
        hint: What may explain a difference; may be empty.
        figures: The figures of the prompt, as the journal has them.
    """

    project: str
    round: int
    checks: tuple[Check, ...]
    hint: str = ""
    figures: tuple[Figure, ...] = ()

    @property
    def differences(self) -> int:
        """How many of them differ."""
        return sum(not one.agrees for one in self.checks)


def verify(claims: Claims, project: Project) -> Verification:
    """Compare a file with the journal of a project, and the figures in the journal with its marks and calls.

    Args:
        claims: What the file says.
        project: The project.

    Raises:
        SpotuiError: The project is damaged, or no round of it has ended.
    """
    history = read_history(project)
    line = _line_of(claims, project, history)
    picture = picture_of(project, history)
    receipt = make_receipt(project, history, line, picture)
    checks = [*_compared(claims, receipt), *_shown(claims, receipt), *_recorded(project, history, line)]
    hint = ""
    claimed = claims.receipt.get("rounds")
    if isinstance(claimed, int) and claimed < receipt.rounds:
        hint = _(
            "The run has {rounds} rounds now and had {claimed} when the file was written: it was resumed.",
            rounds=receipt.rounds,
            claimed=claimed,
        )
    return Verification(project.name, line.round, tuple(checks), hint, tuple(figures_of(receipt)))


def _line_of(claims: Claims, project: Project, history: History) -> RoundLine:
    """The round that a file is about: the one that it names, or the last one with its prompt."""
    number = claims.receipt.get("round")
    found = history.round(number) if isinstance(number, int) else None
    if found is None:
        prompt = _plain(claims.receipt.get("prompt"))
        same = [one for one in history.rounds if one.prompt and _plain(one.prompt) == prompt]
        found = same[-1] if same else history.best
    if found is None:
        raise SpotuiError(
            _("No round of {name} has ended yet.", name=project.name),
            _("Continue with: spotui resume {name}", name=project.name),
        )
    return found


def _plain(text: object) -> str:
    """A prompt without what editors and Git change at its end and in its line breaks."""
    return text.replace("\r\n", "\n").rstrip("\n") if isinstance(text, str) else ""


def _compared(claims: Claims, receipt: Receipt) -> Iterator[Check]:
    """The receipt in a file against one made of the journal."""
    now, figures = receipt.as_plain(), {one.name: one for one in figures_of(receipt)}
    for group in _GROUPS:
        known = [field for field in group.fields if field in claims.receipt]
        if "prompt" in known:
            yield _prompt(_(group.name), claims.receipt["prompt"], receipt)
            continue
        if claims.kind == "prompt" or not known:
            continue
        wrong = [field for field in known if not _is_same(claims.receipt[field], now[field])]
        texts = [_told(one, claims.receipt[one], now[one]) for one in wrong]
        if not wrong:
            shown = [figures[name] for name in group.figures if name in figures]
            texts = [one.text if len(shown) == 1 else f"{one.label}: {one.text}" for one in shown]
        if texts:
            yield Check(_(group.name), not wrong, "; ".join(texts))


def _prompt(name: str, claimed: object, receipt: Receipt) -> Check:
    if _plain(claimed) == _plain(receipt.prompt):
        text = _(
            "that of round {round}, SHA-256 {hash}", round=receipt.round, hash=receipt.prompt_sha256[:16]
        )
        return Check(name, True, text)
    added, removed = words_changed(word_diff(receipt.prompt, _plain(claimed)))
    return Check(
        name,
        False,
        _(
            "it is not that of round {round}: {added} words more, {removed} words less, SHA-256 {hash}",
            round=receipt.round,
            added=added,
            removed=removed,
            hash=hash_of(_plain(claimed))[:16],
        ),
    )


def _is_same(claimed: object, actual: object) -> bool:
    if isinstance(claimed, list) and isinstance(actual, list):
        return len(claimed) == len(actual) and all(map(_is_same, claimed, actual))
    if _is_number(claimed) and _is_number(actual):
        return math.isclose(claimed, actual, rel_tol=_CLOSE, abs_tol=_CLOSE)  # type: ignore[arg-type]
    return type(claimed) is type(actual) and claimed == actual


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _told(field: str, claimed: object, actual: object) -> str:
    return _(
        "{field}: the file says {claimed}, the journal says {found}",
        field=field,
        claimed=_value(field, claimed),
        found=_value(field, actual),
    )


def _value(field: str, value: object) -> str:
    if field == "cost_usd" and isinstance(value, float):
        return usd(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return " to ".join(_value(field, one) for one in value)
    return "none" if value is None else short(str(value), 80)


def _shown(claims: Claims, receipt: Receipt) -> Iterator[Check]:
    """What people read in a report against the same receipt; the words may be in any language."""
    figures = figures_of(receipt)
    if claims.shown is not None:
        pairs = [(one, claims.shown.get(one.name)) for one in figures]
    elif claims.unnamed is not None:
        texts: Sequence[str | None] = [*claims.unnamed, *[None] * len(figures)]
        pairs = list(zip(figures, texts, strict=False))
    else:
        return
    wrong = [
        _(
            "{field}: the file shows {claimed}, the journal says {found}",
            field=one.label,
            claimed=_("nothing") if text is None else short(text, 80),
            found=one.text,
        )
        for one, text in pairs
        if text is None or _numbers(text) != _numbers(one.text)
    ]
    same = ngettext("{n:,} figure", "{n:,} figures", len(pairs))
    yield Check(_("figures shown"), not wrong, "; ".join(wrong) or same)
    if claims.prompt is not None or claims.kind in ("HTML report", "Markdown report"):
        is_same = _plain(claims.prompt) == _plain(visible(receipt.prompt))
        text = "" if is_same else _("the prompt on the page is another one than in the journal")
        yield Check(_("prompt shown"), is_same, text)


def _numbers(text: str) -> list[str]:
    return [one.replace(",", "") for one in _FIGURE.findall(text)]


def _recorded(project: Project, history: History, line: RoundLine) -> Iterator[Check]:
    """The journal's own figures against its marks and calls."""
    if not project.is_ours:
        return
    if line.score is not None and line.marks:
        seed = int(read_snapshot(project.snapshot).settings.get("seed", 0))
        again = score(line.marks, seed=seed)
        recorded: Any = [line.score, list(line.score_interval or ())]
        found: Any = [again.mean, [again.interval.low, again.interval.high]]
        is_same = _is_same(recorded, found)
        text = _("{n:,} marks give the score of the round", n=again.rows)
        if not is_same:
            text = _told("score", recorded[0], found[0])
        yield Check(_("marks in the journal"), is_same, text)
    stop = history.stop
    if stop is not None and stop.calls:
        with Journal(project.journal) as journal:
            spent = Earlier(journal.lines()).spending
        recorded, found = [stop.calls, stop.cost_usd], [spent.calls, spent.cost_usd]
        is_same = _is_same(recorded, found)
        text = _("{n:,} calls cost what the run says it spent", n=spent.calls)
        if not is_same:
            text = _(
                "the run says {stated} calls and {stated_usd}; its calls are {calls} and {usd}",
                stated=stop.calls,
                stated_usd=usd(stop.cost_usd),
                calls=spent.calls,
                usd=usd(spent.cost_usd),
            )
        yield Check(_("calls in the journal"), is_same, text)
