"""The records of a run: what happened, in the order in which it happened, as its journal keeps them."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from spotui.domain.answer_cost import AnswerCost, Preferred
from spotui.domain.declared import Value
from spotui.domain.verdicts import Choice, Decisive, Outcome, Preference, StopReason

JOURNAL_VERSION = 3
"""Version 1 has no `sent` lines and no `worked` times, and version 2 no `batch` lines; both are read and
resumed as they are."""


AS_PLANNED: Final[frozenset[StopReason]] = frozenset({"finished", "patience", "target", "perfect"})
"""Reasons after which going on changes nothing, unless more is wanted."""


Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A date with its offset: without one it cannot be compared with others."""


def now() -> datetime:
    """The present moment with the local offset, unlike SPO's naive local times."""
    return datetime.now().astimezone()


class CallKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """What asked for a model call.

    Attributes:
        round: The round that needed it, from 1.
        purpose: The verb: propose, execute, vote, vote_likelihood, vote_typicality, and so on.
        index: Which of several: the question, the vote.
        attempt: 1, or 2 when a first reply was unusable and it was asked again.
        turn: Which turn of a conversation, from 0.
        candidate: Which of several candidates of its round it is about, from 1; 0 where there is one alone.
    """

    round: int
    purpose: str
    index: int = 0
    attempt: int = 1
    turn: int = 0
    candidate: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False):
    """Any line of the journal; `at` is when it was written.

    A line refers to nothing that refers back to it, so the collector of cycles need not look at thousands.
    """

    at: Moment = msgspec.field(default_factory=now)


class JournalLine(Line, frozen=True, tag="journal"):
    """The first line: which format, and which run."""

    version: int
    run: str


class SessionLine(Line, frozen=True, tag="session"):
    """A process began to work on the run; `judge` names its kind of judge in a few words."""

    pid: int
    host: str
    spotui: str
    judge: str = ""


class SentLine(Line, frozen=True, tag="sent"):
    """A request that is about to be sent; a call or dropped line of the same key says how it ended.

    Where neither follows, the process died with the request in flight, and the endpoint may charge for it. A
    later line of the same key means that the endpoint refused this one, or that it was never connected.

    Attributes:
        key: What asked for it.
        model: The model's id.
        prompt_tokens: An estimate.
        completion_tokens: An estimate: as many as the longest reply of its kind so far.
        cost_usd: What that would cost, or None when the price is unknown.
        worked: Seconds worked on the run, all sessions together, by a clock that nobody can set.
    """

    key: CallKey
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = None
    worked: float = 0.0


class CallLine(Line, frozen=True, tag="call"):
    """A finished model call: bought once, read for ever.

    Attributes:
        key: What asked for it.
        digest: A hash of what was asked.
        request: The request, as the door encodes it.
        reply: The reply, as the door encodes it.
        worked: Seconds worked on the run, as in `SentLine`.
    """

    key: CallKey
    digest: str
    request: msgspec.Raw
    reply: msgspec.Raw
    worked: float = 0.0


BatchState = Literal["intended", "submitted", "collected", "given_up"]
"""How far a batch is: `intended` is written before it is submitted, so that nothing is submitted twice."""


class BatchedCall(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A call in a batch: what asked for it, and a hash of what was asked, as in `CallLine`."""

    key: CallKey
    digest: str


class BatchLine(Line, frozen=True, tag="batch"):
    """Calls that are sent together as a batch of the provider, or what became of a batch.

    Attributes:
        token: Its name here, and in the provider's list of batches: 16 hexadecimal digits.
        state: How far it is.
        model: The model's id; empty where it is only collected.
        id: The provider's name of it, once it is submitted.
        expires: When the provider gives it up at the latest, in seconds since 1970; 0 where that is unknown.
        calls: Its calls, in the order of their numbers in the batch; only where it is intended.
    """

    token: str
    state: BatchState
    model: str = ""
    id: str = ""
    expires: float = 0.0
    calls: tuple[BatchedCall, ...] = ()


class MarkLine(Line, frozen=True, tag="mark"):
    """The mark that a custom metric gave for an answer; other metrics give theirs again at no cost.

    Attributes:
        of: A hash of the metric's name, the row and the answer.
        metric: The SHA-256 of the metric's file.
        mark: 0..1, or None when the metric failed.
        note: Why it failed.
    """

    of: str
    metric: str
    mark: float | None = None
    note: str = ""


class DroppedLine(Line, frozen=True, tag="dropped"):
    """A call that brought nothing to keep; its tokens are estimates, unless a reply came that was cut short.

    The endpoint may charge for it.
    """

    key: CallKey
    model: str
    why: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = None
    estimated: bool = True
    worked: float = 0.0


class AnswerRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A question and what the executor answered, or why it has no answer."""

    question: str
    answer: str
    error: str = ""


class VoteRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One vote of a duel, from the candidate's side.

    Attributes:
        choice: What it is for.
        order: AB or BA, or empty where there is none.
        reason: The voter's.
        voter: `model`, `likelihood`, `logprob` or `human`.
        model: Which judge, where there are several.
        question: A person's vote on one question alone: its position.
        outranks: A person's vote that decides whatever the judge says.
    """

    choice: Choice
    order: str = ""
    reason: str = ""
    voter: str = "model"
    model: str = ""
    question: int | None = None
    outranks: bool = False


class Rival(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A candidate of a round that had several, and kept another one.

    Attributes:
        number: Which of them, from 1.
        outcome: What became of it against the best; it may have won, with fewer votes than the one kept.
        prompt: The candidate.
        parent: The round whose prompt it was made from.
        modification: One sentence on what was changed.
        reasoning: Why, in the optimizer's words.
        answers: One for each question, in the order of the question set.
        votes: Every vote that was counted or void.
        by_question: What it was on each question, where a judge says so.
        length_ratio: Characters of its answers over those of the best's, or None.
        note: Why it is void.
        per_answer: The cost of an answer with it.
    """

    number: int
    outcome: Outcome
    prompt: str
    parent: int = 0
    modification: str = ""
    reasoning: str = ""
    answers: tuple[AnswerRecord, ...] = ()
    votes: tuple[VoteRecord, ...] = ()
    by_question: tuple[Choice, ...] = ()
    length_ratio: float | None = None
    note: str = ""
    per_answer: AnswerCost | None = None


class RoundLine(Line, frozen=True, tag="round"):
    """A round that ended: all that `show`, `diff`, `export` and SPO's own files need.

    Attributes:
        round: Its number; 1 is the seed.
        outcome: What became of its candidate.
        prompt: The candidate; empty when the round was void before there was one.
        parent: The round whose prompt it was made from, 0 for the seed.
        other_parents: The other rounds whose prompts it was made from, where there are several.
        modification: One sentence on what was changed.
        reasoning: Why, in the optimizer's words.
        answers: One for each question, in the order of the question set.
        votes: Every vote that was counted or void.
        tokens: The length of the answers as SPO counts it.
        seconds: Wall time of the round, pauses left out.
        calls: Model calls of the round.
        prompt_tokens: Bought in the round, all roles.
        completion_tokens: Bought in the round, all roles.
        cost_usd: Of the round, or None when a price is unknown.
        estimated: Whether the tokens of any call are an estimate.
        columns: What the method shows of it, by the names of its columns.
        edited: A person changed the candidate before it was executed.
        note: Why it is void or refused, or what else a reader must know.
        win_rate: The candidate's share of the votes that chose a side, or None when none did.
        win_interval: Its 95% interval.
        flipped: Whether the first votes of the two orders disagreed; None when they chose no sides.
        length_ratio: Characters of its answers over those of the best's, or None.
        score: What the candidate scored, 0..1, or None where nothing is scored.
        score_interval: Its 95% interval.
        gain: Its score less that of the last prompt that won, or of the seed; None where nothing is scored.
        floor: The A/A floor of that difference: a lower gain is a lead, and no win.
        marks: One a row of the split that prompts are chosen by; None for a row that errored.
        edit_budget: Words that the optimizer was allowed to change, or None for no limit.
        told: What the method told of it, as events on the wire.
        added: SPO's own tool ran it and added it to the project: nothing but prompt, answers, verdict, tokens
            and time is known.
        after: The round before an added one: the tool left out the numbers between the two.
        closing: It is a closing round after those of the method, for the last thing to try.
        judged: The judge's verdict where a person gave another; it is set when a journal is read.
        opponent: The round whose answers its own were compared with; 0 where none were.
        by_question: What its answer to each question was, where the judge says so.
        candidate: Which of several candidates it keeps, from 1; 0 where there was one alone.
        others: The other candidates.
        per_answer: The cost of an answer with the candidate that it keeps.
        preferred: Why it is the best although neither votes nor score say so; None where they do.
    """

    round: int
    outcome: Outcome
    prompt: str = ""
    parent: int = 0
    other_parents: tuple[int, ...] = ()
    modification: str = ""
    reasoning: str = ""
    answers: tuple[AnswerRecord, ...] = ()
    votes: tuple[VoteRecord, ...] = ()
    tokens: int = 0
    seconds: float = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    edited: bool = False
    note: str = ""
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    flipped: bool | None = None
    length_ratio: float | None = None
    score: float | None = None
    score_interval: tuple[float, float] | None = None
    gain: float | None = None
    floor: float | None = None
    marks: tuple[float | None, ...] = ()
    edit_budget: int | None = None
    columns: dict[str, Value] = {}
    told: tuple[msgspec.Raw, ...] = ()
    added: bool = False
    after: int = 0
    closing: bool = False
    judged: Outcome | None = None
    opponent: int = 0
    by_question: tuple[Choice, ...] = ()
    candidate: int = 0
    others: tuple[Rival, ...] = ()
    per_answer: AnswerCost | None = None
    preferred: Preferred | None = None


class VoteLine(Line, frozen=True, tag="vote"):
    """A person's vote in a round's duel, on all answers or on one question; see `VoteRecord`."""

    round: int
    choice: Preference
    question: int | None = None
    outranks: bool = False


class EditLine(Line, frozen=True, tag="edit"):
    """A person's text for a round's candidate."""

    round: int
    prompt: str


class OverrideLine(Line, frozen=True, tag="override"):
    """A person's verdict over a round, in force from the start of `before_round`."""

    round: int
    outcome: Decisive
    before_round: int


class HintLine(Line, frozen=True, tag="hint"):
    """A person's hint to the optimizer, from the proposals of `before_round` on; an empty text ends it."""

    text: str
    before_round: int


class LimitsLine(Line, frozen=True, tag="limits"):
    """Limits that were changed after the start: the keys that changed, with their new values."""

    changes: dict[str, float | int | None]


class HeldOutLine(Line, frozen=True, tag="held_out"):
    """The last duel: the best prompt against the seed on the questions no round has seen."""

    best: int
    outcome: Outcome
    questions: int
    votes: tuple[VoteRecord, ...] = ()


class FinalTestLine(Line, frozen=True, tag="final_test"):
    """The test at the end: the best prompt against the seed on the rows that nothing has seen before.

    Attributes:
        best: The round of the best prompt.
        seed_marks: The seed's marks, one a row, None for a row that errored.
        best_marks: The best prompt's marks on the same rows.
    """

    best: int
    seed_marks: tuple[float | None, ...]
    best_marks: tuple[float | None, ...]


class CheckedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question of the final check: what the best prompt is on it against the seed."""

    question: str
    choice: Choice
    votes: tuple[VoteRecord, ...] = ()
    held_out: bool = False


class Ranked(msgspec.Struct, frozen=True):
    """A prompt's strength in natural-log units: a lead of 1 wins 73% of the votes; the seed has 0."""

    round: int
    strength: float


class CheckLine(Line, frozen=True, tag="check"):
    """The final check: the best prompt against the seed, question by question, those held out included.

    Attributes:
        best: The round of the best prompt.
        outcome: Win when it is better on more questions than it is worse on.
        headline: What was found, in a sentence or two.
        rows: Every question.
        win_rate: The best prompt's share of the questions on which there is a difference, or None.
        win_interval: Its 95% interval.
        ranking: The prompts that won along the way, the strongest first.
        skipped: Why there was no check; the rest is empty then.
    """

    best: int
    outcome: Choice = "void"
    headline: str = ""
    rows: tuple[CheckedRow, ...] = ()
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    ranking: tuple[Ranked, ...] = ()
    skipped: str = ""


class StopLine(Line, frozen=True, tag="stop"):
    """The run ended, why, and what all sessions together took, the calls after the last round included."""

    reason: StopReason
    cause: str = ""
    best: int = 0
    seconds: float = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False


AnyLine = (
    JournalLine
    | SessionLine
    | SentLine
    | CallLine
    | BatchLine
    | MarkLine
    | DroppedLine
    | RoundLine
    | VoteLine
    | EditLine
    | OverrideLine
    | HintLine
    | LimitsLine
    | HeldOutLine
    | FinalTestLine
    | CheckLine
    | StopLine
)
