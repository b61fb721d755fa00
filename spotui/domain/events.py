"""What a run tells its listeners: one typed event for each thing that happens, one JSON object a line.

A type that is defined here is known to the wire without being named anywhere else. docs/wire.md says what
every field means, and what a new version is.
"""

import time
from typing import Literal

import msgspec
from msgspec import field

from spotui.domain.answer_cost import AnswerCost, Preferred
from spotui.domain.declared import Note, Value
from spotui.domain.records import CallKey, Ranked
from spotui.domain.rows import SplitName
from spotui.domain.verdicts import Choice, Decisive, Outcome, Side, StopReason
from spotui.lang import Message


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True, gc=False):
    """Any event; `at` is seconds since 1970, UTC.

    It refers to nothing that refers back to it, so the collector of cycles need not look at thousands.

    Attributes:
        messages: Codes and values of the fields that are sentences, on the wire only; the fields themselves
            are English there, and a front end that decodes the event has them in its own language.
    """

    at: float = field(default_factory=time.time)
    messages: dict[str, tuple[Message, ...]] = field(default_factory=dict)


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
    notes: tuple[Note, ...] = ()
    columns: tuple[str, ...] = ()


class StateChanged(Event, frozen=True, kw_only=True, tag="state_changed"):
    """The run went on, paused, or began to stop; `cause` says why, in a sentence a user can act on."""

    state: RunState
    cause: str = ""


class RoundStarted(Event, frozen=True, kw_only=True, tag="round_started"):
    """A round began; `best` is the round whose prompt it starts from, 0 for the seed round."""

    round: int
    best: int = 0


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


BatchProgress = Literal["submitted", "waiting", "collected"]


class BatchChanged(Event, frozen=True, kw_only=True, tag="batch_changed"):
    """Calls were submitted as a batch of the provider, the batch got on, or its replies are here."""

    batch: str
    id: str
    model: str
    state: BatchProgress
    calls: int
    done: int = 0
    failed: int = 0
    again: int = 0
    expected: float | None = None


class ScoringStarted(Event, frozen=True, kw_only=True, tag="scoring_started"):
    """Rows of one split are about to be asked with some prompts; what is in the journal costs nothing."""

    round: int
    split: SplitName
    prompts: int
    rows: int


class MethodEvent(Event, frozen=True, kw_only=True):
    """Something of a round that only its method knows; the journal keeps it with the round."""

    round: int


class CandidateProposed(MethodEvent, frozen=True, kw_only=True, tag="candidate_proposed"):
    """The optimizer proposed a prompt, or a person wrote it (`edited`)."""

    parent: int
    prompt: str
    modification: str = ""
    reasoning: str = ""
    edited: bool = False
    other_parents: tuple[int, ...] = ()
    index: int = 0
    words_changed: int | None = None


class CandidateRefused(MethodEvent, frozen=True, kw_only=True, tag="candidate_refused"):
    """A proposal cannot be used, or a gate of the method refuses a candidate, which `prompt` is then.

    A proposal is asked for once more, then the round goes without it, as it does without a refused candidate.
    """

    why: str
    final: bool = False
    index: int = 0
    prompt: str = ""


class CandidateScored(MethodEvent, frozen=True, kw_only=True, tag="candidate_scored"):
    """A prompt was scored on some rows: the mean of its marks, 0..1, with the 95% interval.

    One that fell behind in a race has a partial score: `unasked` rows were not asked any more.
    `per_answer` is what an answer with it costs.
    """

    index: int
    prompt: str
    split: SplitName
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
    unasked: int = 0
    per_answer: AnswerCost | None = None


class PastPrompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something of earlier rounds that the optimizer is shown: a prompt, or what was written about one."""

    round: int
    text: str
    score: float | None = None
    similarity: float | None = None


class PastShown(MethodEvent, frozen=True, kw_only=True, tag="past_shown"):
    """What the optimizer is about to see of earlier rounds, and how many words it may change."""

    current: int
    past: tuple[PastPrompt, ...] = ()
    edit_budget: int | None = None


class NoteWritten(MethodEvent, frozen=True, kw_only=True, tag="note_written"):
    """A model wrote down what it saw; `what` is the method's word for it, such as reflection or summary."""

    what: str
    text: str
    index: int = 0
    prompt: str = ""


class BlockItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt or another text of a block, with its score and other facts, as far as there are any."""

    text: str
    score: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    facts: dict[str, Value] = {}


class BlockShown(MethodEvent, frozen=True, kw_only=True, tag="block_shown"):
    """A list that the method declares; `name` is what it calls it, and `title` what is in it."""

    name: str
    title: str
    items: tuple[BlockItem, ...] = ()


class Answered(Event, frozen=True, kw_only=True, tag="answered"):
    """The executor answered one question of the set; `error` says why there is no answer to compare.

    Of several candidates of a round, `candidate` says which one, from 1; here and in what follows.
    """

    round: int
    index: int
    question: str
    answer: str
    error: str = ""
    candidate: int = 0


class Likelihood(Event, frozen=True, kw_only=True, tag="likelihood"):
    """The likelihood judge measured one answer: how much more likely the requirements make it."""

    round: int
    index: int
    value: float
    candidate: int = 0


class DuelOpened(Event, frozen=True, kw_only=True, tag="duel_opened"):
    """A round's answers are being judged, and people may vote; `left` says whose answers are on the left."""

    round: int
    best: int
    left: Side


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
    candidate: int = 0


class RoundFinished(Event, frozen=True, kw_only=True, tag="round_finished"):
    """A round ended; of several candidates, `candidate` is the one that it keeps, from 1.

    `by_question` says what it was on each question that both sides answered, where the judge says so.
    `preferred` says why it is the best although neither votes nor score say so.
    """

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
    gain: float | None = None
    floor: float | None = None
    edit_budget: int | None = None
    prompt: str = ""
    judged: Outcome | None = None
    columns: dict[str, Value] = field(default_factory=dict)
    candidate: int = 0
    by_question: tuple[Choice, ...] = ()
    per_answer: AnswerCost | None = None
    preferred: Preferred | None = None


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


class VerdictOverridden(Event, frozen=True, kw_only=True, tag="verdict_overridden"):
    """A person gave a round another verdict; it holds from the start of `before_round`."""

    round: int
    outcome: Decisive
    before_round: int


class HintGiven(Event, frozen=True, kw_only=True, tag="hint_given"):
    """A person gave the optimizer a hint, from the candidates of `before_round` on; an empty one ends it."""

    text: str
    before_round: int


class HeldOutFinished(Event, frozen=True, kw_only=True, tag="held_out_finished"):
    """Best against seed on the questions that no round has seen."""

    best: int
    outcome: Outcome
    questions: int
    wins: int = 0
    losses: int = 0
    ties: int = 0


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
    floor: float = 0.0


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
    """The run ended; always the last event.

    `lead` says that the best prompt is not the seed and is not `improved` either: its score is ahead by less
    than the A/A floor, and the test did not show more.
    """

    reason: StopReason
    cause: str
    best: int
    improved: bool
    rounds: int
    prompt: str
    resumable: bool = True
    lead: bool = False
