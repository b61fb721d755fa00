"""The events of methods that score prompts on rows."""

from typing import Literal

import msgspec

from spotui.domain.events.base import Event


class ScoringStarted(Event, frozen=True, kw_only=True, tag="scoring_started"):
    """Rows of one split are about to be asked with some prompts; what is in the journal costs nothing."""

    round: int
    split: Literal["train", "eval", "test"]
    prompts: int
    rows: int


class CandidateScored(Event, frozen=True, kw_only=True, tag="candidate_scored"):
    """A prompt was scored on some rows: the mean of its marks, 0..1, with the 95% interval."""

    round: int
    index: int
    prompt: str
    split: Literal["train", "eval", "test"]
    score: float
    low: float
    high: float
    rows: int
    left_out: int = 0
    marks: tuple[float | None, ...] = ()
    modification: str = ""
    words_changed: int | None = None
    asked: int = 0
    first: int = 0
    positions: tuple[int, ...] = ()


class PastPrompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something of earlier rounds that the optimizer is shown: a prompt, or what was written about one."""

    round: int
    text: str
    score: float | None = None
    similarity: float | None = None


class PastShown(Event, frozen=True, kw_only=True, tag="past_shown"):
    """What the optimizer is about to see of earlier rounds, and how many words it may change."""

    round: int
    current: int
    past: tuple[PastPrompt, ...] = ()
    edit_budget: int | None = None


class NoteWritten(Event, frozen=True, kw_only=True, tag="note_written"):
    """A model wrote down what it saw; `what` is the method's word for it, such as reflection or summary."""

    round: int
    what: str
    text: str
    index: int = 0
    prompt: str = ""


class BeamMember(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt that goes on to the next round."""

    prompt: str
    score: float
    low: float
    high: float
    rows: int


class BeamChosen(Event, frozen=True, kw_only=True, tag="beam_chosen"):
    """The prompts that the next round starts from, the best first."""

    round: int
    members: tuple[BeamMember, ...]


class FinalTest(Event, frozen=True, kw_only=True, tag="final_test"):
    """Best against seed on the rows that nothing has seen before, row by row."""

    best: int
    rows: int
    seed_score: float
    seed_interval: tuple[float, float]
    best_score: float
    best_interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]
    wins: int = 0
    losses: int = 0
    ties: int = 0
    p: float = 1.0
    left_out: int = 0
