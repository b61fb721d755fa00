"""The events of a run, a type for each."""

from typing import Literal

from msgspec import field

from spotui.domain.events.base import Event
from spotui.domain.events.judging import (
    DuelOpened,
    FinalCheckFinished,
    FinalCheckSkipped,
    JudgeMeasured,
    Likelihood,
    VoteCast,
)
from spotui.domain.events.scoring import (
    BeamChosen,
    CandidateScored,
    FinalTest,
    NoteWritten,
    PastShown,
    ScoringStarted,
)
from spotui.domain.records import CallKey
from spotui.domain.verdicts import Outcome, StopReason


class CallEvent(Event, frozen=True, kw_only=True):
    """Something about one model call, named by what asked for it."""

    key: CallKey


class CallStarted(CallEvent, frozen=True, kw_only=True, tag="call_started"):
    """A request went out."""

    model: str


class CallDelta(CallEvent, frozen=True, kw_only=True, tag="call_delta"):
    """A piece of a reply arrived; only sent to listeners that asked for deltas."""

    text: str = ""
    reasoning: str = ""


class CallRetried(CallEvent, frozen=True, kw_only=True, tag="call_retried"):
    """A try failed and another will follow after `wait` seconds."""

    error: str
    kind: str
    tries: int
    wait: float


class CallFinished(CallEvent, frozen=True, kw_only=True, tag="call_finished"):
    """A reply is in the journal; `recorded` when it was there already and cost nothing now."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    cost_usd: float | None = None
    estimated: bool = False
    recorded: bool = False
    finish_reason: str = "stop"


class CallDropped(CallEvent, frozen=True, kw_only=True, tag="call_dropped"):
    """A call brought no reply that counts: cancelled, cut by the budget, or `failed` for good."""

    why: str
    failed: bool = False


RunState = Literal["running", "paused", "stopping"]
Level = Literal["info", "warning", "error"]


class RunOpened(Event, frozen=True, kw_only=True, tag="run_opened"):
    """A process took the run up; the first event of all. `limits` are those in force, None for none."""

    version: int
    project: str
    folder: str
    run: str
    method: str
    models: dict[str, str]
    rounds: int
    questions: tuple[str, ...]
    held_out: int
    judge: str
    prompt: str
    recorded: int = 0
    parameters: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    metric: str = ""
    judge_unit: Literal["set", "row"] = "set"
    judge_json: bool = False
    judges: tuple[str, ...] = ()
    embedding_model: str = ""
    limits: dict[str, float | int | None] = field(default_factory=dict)


class StateChanged(Event, frozen=True, kw_only=True, tag="state_changed"):
    """The run went on, paused, or began to stop; `cause` says why, in a sentence a user can act on."""

    state: RunState
    cause: str = ""


class RoundStarted(Event, frozen=True, kw_only=True, tag="round_started"):
    """A round began; `best` is the round whose prompt it starts from, 0 for the seed round."""

    round: int
    best: int = 0


class CandidateProposed(Event, frozen=True, kw_only=True, tag="candidate_proposed"):
    """The optimizer proposed a prompt, or a person wrote it (`edited`)."""

    round: int
    parent: int
    prompt: str
    modification: str = ""
    reasoning: str = ""
    edited: bool = False
    index: int = 0
    words_changed: int | None = None


class CandidateRefused(Event, frozen=True, kw_only=True, tag="candidate_refused"):
    """A proposal cannot be used; it is asked for once more, then the round goes without it."""

    round: int
    why: str
    final: bool = False
    index: int = 0


class Answered(Event, frozen=True, kw_only=True, tag="answered"):
    """The executor answered one question of the set; `error` says why there is no answer to compare."""

    round: int
    index: int
    question: str
    answer: str
    error: str = ""


class RoundFinished(Event, frozen=True, kw_only=True, tag="round_finished"):
    """A round ended."""

    round: int
    outcome: Outcome
    best: int
    wins: int = 0
    losses: int = 0
    ties: int = 0
    voids: int = 0
    seconds: float = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    modification: str = ""
    note: str = ""
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    flipped: bool | None = None
    length_ratio: float | None = None
    score: float | None = None
    score_interval: tuple[float, float] | None = None
    edit_budget: int | None = None
    prompt: str = ""
    judged: Outcome | None = None


class VerdictOverridden(Event, frozen=True, kw_only=True, tag="verdict_overridden"):
    """A person gave a round another verdict; it holds from the start of `before_round`."""

    round: int
    outcome: Literal["win", "loss"]
    before_round: int


class HeldOutFinished(Event, frozen=True, kw_only=True, tag="held_out_finished"):
    """Best against seed on the questions that no round has seen."""

    best: int
    outcome: Outcome
    questions: int
    wins: int = 0
    losses: int = 0
    ties: int = 0


class SpendingChanged(Event, frozen=True, kw_only=True, tag="spending_changed"):
    """What the run has cost so far, all roles and all sessions together.

    `estimated` says whether the tokens of any call are an estimate.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    unpriced: int = 0
    estimated: bool = False
    in_flight: int = 0
    seconds: float = 0.0


class LimitsChanged(Event, frozen=True, kw_only=True, tag="limits_changed"):
    """A budget, the number of rounds or a concurrency was changed while the run was open."""

    changes: dict[str, float | int | None]


class Noticed(Event, frozen=True, kw_only=True, tag="noticed"):
    """Something worth a line: a torn journal line dropped, a parameter left out, a lock taken over."""

    text: str
    level: Level = "info"


class CommandRefused(Event, frozen=True, kw_only=True, tag="command_refused"):
    """A command could not be carried out; nothing changed."""

    command: str
    why: str


class RunStopped(Event, frozen=True, kw_only=True, tag="run_stopped"):
    """The run ended; always the last event."""

    reason: StopReason
    cause: str
    best: int
    improved: bool
    rounds: int
    prompt: str
    resumable: bool = True


AnyEvent = (
    RunOpened
    | StateChanged
    | RoundStarted
    | CallStarted
    | CallDelta
    | CallRetried
    | CallFinished
    | CallDropped
    | CandidateProposed
    | CandidateRefused
    | ScoringStarted
    | CandidateScored
    | PastShown
    | NoteWritten
    | BeamChosen
    | Answered
    | Likelihood
    | DuelOpened
    | VoteCast
    | RoundFinished
    | JudgeMeasured
    | VerdictOverridden
    | HeldOutFinished
    | FinalTest
    | FinalCheckFinished
    | FinalCheckSkipped
    | SpendingChanged
    | LimitsChanged
    | Noticed
    | CommandRefused
    | RunStopped
)
