"""The receipt of a prompt: its text, its figures, and which run they are from."""

from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import FinalTest
from spotui.domain.figures import count, duration, gained, percent, points, usd, verdict
from spotui.domain.records import RoundLine
from spotui.domain.version import VERSION as PROGRAM
from spotui.lang import N_, _, as_english
from spotui.view.picture import Picture
from spotui.view.retell import retell
from spotui.workspace.history import History, read_history
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot

VERSION: Final = 1

Range = tuple[float, float]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of a prompt. Scores, shares and gains are 0..1; an interval is the 95% one.

    Attributes:
        receipt: The format.
        spotui: The version that wrote it.
        project: The project's name.
        run: The run's id; empty for a project of SPO's own tool.
        template: What the template is called.
        method: The method.
        models: The models, by role.
        round: The prompt's round.
        verdict: What became of it.
        prompt: The prompt.
        prompt_sha256: Its hash, over UTF-8.
        score: On the rows that it was chosen by; None where nothing is scored.
        score_interval: Where it lies.
        win_rate: Its share of the votes of its round, or None.
        win_interval: Where it lies.
        test_rows: Rows of the test at the end; None where this prompt was not tested.
        test_score: Its score on them.
        test_interval: Where it lies.
        seed_test_score: The seed's score on them.
        test_gain: Its score less the seed's, row by row.
        test_gain_interval: Where it lies.
        test_floor: The A/A floor of the gain.
        check_win_rate: Its share of the questions of the final check that differ; None where it was not
            checked.
        check_interval: Where it lies.
        rounds: Rounds of the run.
        calls: Calls of the whole run; the following figures are of all of them, too.
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens received.
        cost_usd: What they cost; None where nothing is known.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of tokens and cost is an estimate.
        seconds: Time worked.
    """

    receipt: int = VERSION
    spotui: str = PROGRAM
    project: str
    run: str
    template: str
    method: str
    models: dict[str, str]
    round: int
    verdict: str
    prompt: str
    prompt_sha256: str
    score: float | None
    score_interval: Range | None
    win_rate: float | None
    win_interval: Range | None
    test_rows: int | None = None
    test_score: float | None = None
    test_interval: Range | None = None
    seed_test_score: float | None = None
    test_gain: float | None = None
    test_gain_interval: Range | None = None
    test_floor: float | None = None
    check_win_rate: float | None = None
    check_interval: Range | None = None
    rounds: int
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    unpriced: int = 0
    estimated: bool = False
    seconds: float = 0.0

    def as_json(self) -> bytes:
        """The file."""
        return msgspec.json.format(msgspec.json.encode(self, enc_hook=as_english), indent=2) + b"\n"

    def as_plain(self) -> dict[str, Any]:
        """The same as it is read back from the file."""
        found: dict[str, Any] = msgspec.json.decode(self.as_json())
        return found


def hash_of(prompt: str) -> str:
    """The SHA-256 of a prompt; half a character, as a broken reply may hold, counts as a question mark."""
    return sha256(prompt.encode("utf-8", "replace")).hexdigest()


def picture_of(project: Project, history: History) -> Picture:
    """A run as its journal tells it.

    Raises:
        SpotuiError: The project is damaged.
    """
    picture = Picture()
    for event in retell(project, history):
        picture.apply(event)
    return picture


def make_receipt(project: Project, history: History, line: RoundLine, picture: Picture) -> Receipt:
    """The receipt of a round's prompt.

    Args:
        project: The project.
        history: What it holds.
        line: The round.
        picture: The same as a picture, which the figures are taken from.

    Raises:
        SpotuiError: The project is damaged.
    """
    opened = picture.opened
    receipt = Receipt(
        project=project.name,
        run=opened.run if opened is not None else "",
        template=read_snapshot(project.snapshot).template_name if project.is_ours else "",
        method=opened.method if opened is not None else "",
        models=dict(opened.models) if opened is not None else {},
        round=line.round,
        verdict=line.outcome,
        prompt=line.prompt,
        prompt_sha256=hash_of(line.prompt),
        score=line.score,
        score_interval=line.score_interval,
        win_rate=line.win_rate,
        win_interval=line.win_interval,
        rounds=len(history.rounds),
    )
    if (spent := picture.spending) is not None:
        fields = ("calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced", "estimated")
        known = {name: getattr(spent, name) for name in (*fields, "seconds")}
        receipt = msgspec.structs.replace(receipt, **known)
    if (tested := picture.tested) is not None and tested.best == line.round:
        receipt = msgspec.structs.replace(receipt, **_tested(tested))
    check = history.check
    if check is not None and check.best == line.round and not check.skipped:
        receipt = msgspec.structs.replace(
            receipt, check_win_rate=check.win_rate, check_interval=check.win_interval
        )
    return receipt


def receipt_of_best(project: Project) -> Receipt | None:
    """The receipt of a run's best prompt; None where no round has ended, or the project is damaged."""
    try:
        history = read_history(project)
        best = history.best
        return None if best is None else make_receipt(project, history, best, picture_of(project, history))
    except SpotuiError:  # whoever wants it has said so elsewhere
        return None


def _tested(tested: FinalTest) -> dict[str, Any]:
    return {
        "test_rows": tested.rows,
        "test_score": tested.best_score,
        "test_interval": tested.best_interval,
        "seed_test_score": tested.seed_score,
        "test_gain": tested.difference,
        "test_gain_interval": tested.difference_interval,
        "test_floor": tested.floor,
    }


class Figure(NamedTuple):
    """A figure of a receipt as people read it.

    Attributes:
        name: What it is called in the file, of a field of the receipt.
        label: What it is called on the page.
        text: The figure.
    """

    name: str
    label: str
    text: str


_LABELS: Final = {
    "prompt_sha256": N_("Prompt, SHA-256"),
    "verdict": N_("Verdict"),
    "score": N_("Score, 95% CI"),
    "win_rate": N_("Win rate of its round, 95% CI"),
    "test_score": N_("Score on test rows, 95% CI"),
    "seed_test_score": N_("Score of the seed on test rows"),
    "test_gain": N_("Gain on test rows, 95% CI"),
    "check_win_rate": N_("Win rate in the final check, 95% CI"),
    "rounds": N_("Rounds"),
    "calls": N_("Calls"),
    "tokens": N_("Tokens in and out"),
    "cost_usd": N_("Cost"),
    "seconds": N_("Time"),
}


def figures_of(receipt: Receipt) -> list[Figure]:
    """The figures of a receipt that a report shows; those that are not known are left out."""
    texts = {
        "prompt_sha256": receipt.prompt_sha256,
        "verdict": _(
            "round {number}: {verdict}", number=receipt.round, verdict=verdict(receipt.verdict, None)
        ),
        "score": _scored(receipt.score, receipt.score_interval),
        "win_rate": _share(receipt.win_rate, receipt.win_interval),
        "test_score": _scored(receipt.test_score, receipt.test_interval),
        "seed_test_score": "" if receipt.seed_test_score is None else points(receipt.seed_test_score),
        "test_gain": ""
        if receipt.test_gain is None or receipt.test_gain_interval is None
        else gained(receipt.test_gain, receipt.test_gain_interval, receipt.test_floor or 0.0),
        "check_win_rate": _share(receipt.check_win_rate, receipt.check_interval),
        "rounds": f"{receipt.rounds:,}",
    }
    if receipt.calls:
        sent, received = (
            count(tokens, estimated=receipt.estimated)
            for tokens in (receipt.prompt_tokens, receipt.completion_tokens)
        )
        texts |= {
            "calls": f"{receipt.calls:,}",
            "tokens": f"{sent} + {received}",
            "cost_usd": usd(receipt.cost_usd, receipt.unpriced, estimated=receipt.estimated),
            "seconds": duration(receipt.seconds),
        }
    return [Figure(name, _(_LABELS[name]), text) for name, text in texts.items() if text]


def _scored(score: float | None, interval: Range | None) -> str:
    if score is None:
        return ""
    if interval is None:
        return points(score)
    return f"{points(score)} ({points(interval[0])} to {points(interval[1])})"


def _share(share: float | None, interval: Range | None) -> str:
    if share is None:
        return ""
    if interval is None:
        return percent(share)
    return f"{percent(share)} ({percent(interval[0])} to {percent(interval[1])})"
