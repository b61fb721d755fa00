"""The events of judging: duels, votes, what they say about the judge, and the final check."""

from typing import Literal

from spotui.domain.events.base import Event
from spotui.domain.records import Ranked
from spotui.domain.verdicts import Choice


class Likelihood(Event, frozen=True, kw_only=True, tag="likelihood"):
    """The likelihood judge measured one answer: how much more likely the requirements make it."""

    round: int
    index: int
    value: float


class DuelOpened(Event, frozen=True, kw_only=True, tag="duel_opened"):
    """A round's answers are being judged, and people may vote; `left` says whose answers are on the left."""

    round: int
    best: int
    left: Literal["best", "candidate"]


class VoteCast(Event, frozen=True, kw_only=True, tag="vote_cast"):
    """A vote was read, from the candidate's side; `order` is AB, BA or empty where there is none."""

    round: int
    index: int
    choice: Choice
    order: str = ""
    reason: str = ""
    voter: str = "model"
    model: str = ""
    question: int | None = None
    outranks: bool = False


class JudgeMeasured(Event, frozen=True, kw_only=True, tag="judge_measured"):
    """The judge's record over all duels so far; `warning` is a sentence once the votes show a fault."""

    round: int
    votes: int
    voids: int = 0
    pairs: int = 0
    flips: int = 0
    flip_rate: float | None = None
    flip_interval: tuple[float, float] | None = None
    warning: str = ""
    compared: int = 0
    agreed: int = 0
    agreement: float | None = None
    agreement_interval: tuple[float, float] | None = None


class FinalCheckFinished(Event, frozen=True, kw_only=True, tag="final_check_finished"):
    """Best against seed on every question, each in both orders: the run's headline."""

    best: int
    outcome: Choice
    headline: str
    questions: int
    held_out: int = 0
    wins: int = 0
    losses: int = 0
    ties: int = 0
    voids: int = 0
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    rows: tuple[Choice, ...] = ()
    ranking: tuple[Ranked, ...] = ()


class FinalCheckSkipped(Event, frozen=True, kw_only=True, tag="final_check_skipped"):
    """The best prompt was not checked against the seed."""

    best: int
    why: str
