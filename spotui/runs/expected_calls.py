"""The calls that something is expected to make: how many, how long, and which of them wait for each other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from spotui.domain.text import estimate_tokens
from spotui.engine.task import Question
from spotui.runs.task import is_judged
from spotui.settings.table import Role, RunSettings, is_embedded

if TYPE_CHECKING:
    from spotui.llm.connector import Connector
    from spotui.methods.method import Calls
    from spotui.runs.headroom.plan import Plan
    from spotui.runs.prepare import Prepared
    from spotui.runs.prune import Cuts
    from spotui.templates.data.labels_file import Label

Paces = Mapping[str, tuple[float, float]]
"""The speed of each model: seconds to the start of a reply, and tokens a second after that."""

# Nothing is known about replies before they come: these are lengths that runs of each method have, in tokens.
PROPOSAL_TOKENS = 450
EMBEDDED_PROPOSAL_TOKENS = 150
PROMPT_TOKENS = 150
ANSWER_TOKENS = 200
ANSWER_TO_REFERENCE = 2
LEAST_ANSWER_TOKENS = 40
TURN_TOKENS = 20
VOTE_TOKENS = 250
NOTE_TOKENS = 150
MARK_TOKENS = 80

# Tokens of the meta-prompts around what they ask about.
PROPOSE_FRAME = 240
SCORED_PROPOSE_FRAME = 900
VOTE_FRAME = 220
LESSONS = 500
NOTE_FRAME = 600
MARK_FRAME = 180

# The speed of a hosted model, and of the embedded one on two cores.
HOSTED_PACE = (0.8, 60.0)
EMBEDDED_PACE = (2.0, 12.0)


class Votes(NamedTuple):
    """What one duel usually takes: votes, and how often it has to wait for some."""

    asked: int
    waves: int
    tokens: int = VOTE_TOKENS


# About the means of benchmarks.judging; a duel may take more, up to the cap of its rule.
VOTES: dict[str, Votes] = {
    "balanced": Votes(3, 1),
    "thorough": Votes(5, 2),
    "reference": Votes(4, 1),
    "logprob": Votes(2, 1, 1),
}
BLOCKS = 5
"""How often the measurement of headroom waits: examples, proposals, and three blocks of rows."""

VOTES_A_ROW = 2
"""In the final check and in a judge-check: one in either order."""


class Part(NamedTuple):
    """Calls of one model that are alike.

    Attributes:
        role: Who asks.
        model: Its model.
        calls: How many.
        asked: The tokens of all requests.
        reply: The tokens of each reply.
        waits: How often the run waits for some of them.
        at_once: How many are made at once each time.
        written: The tokens of each reply that are written one after another, where that is not all of them.
    """

    role: Role | Literal["embedding"]
    model: str
    calls: int
    asked: int
    reply: int
    waits: float
    at_once: float
    written: int | None = None

    def seconds(self, connector: "Connector", paces: Paces) -> float:
        """The time that the run waits for these calls."""
        tokens = self.reply if self.written is None else self.written
        return self.waits * model_seconds(self.model, connector, paces, tokens, self.at_once)


def model_seconds(model: str, connector: "Connector", paces: Paces, tokens: int, calls: float) -> float:
    """The time of some calls of one model that are made at once, with replies of so many tokens."""
    if is_embedded(model) and model not in paces:  # calls at once share the same cores
        wait, pace = EMBEDDED_PACE
        return wait + calls * tokens / pace
    wait, pace = paces.get(model, HOSTED_PACE)
    at_once = connector.route_to(model).endpoint.limits.concurrency
    return -(-calls // at_once) * (wait + tokens / pace)


def of_probes(prepared: "Prepared", plan: "Plan") -> list[Part]:
    """The calls of probes that a judge compares."""
    from spotui.runs.headroom.plan import PROPOSALS, VOTES, probes_of

    settings, task = prepared.settings, prepared.task
    asked, probes = max(1, plan.first), len(probes_of(prepared)[0]) + PROPOSALS
    of = Lengths.of(task.questions, task.requirements, with_references=settings.reference_answers)
    shown = of.said + max(estimate_tokens(task.prompt), PROMPT_TOKENS)
    answers = ((2 + probes) * asked + 2 * plan.rest) * of.turns
    frame = PROPOSALS * (SCORED_PROPOSE_FRAME + of.requirements + asked * (of.question + of.answer))
    executor = settings.roles.executor.model
    duels = (1 + probes) * VOTES * (asked if settings.judge_unit == "row" else 1)
    checked, model = 2 * (asked + plan.rest), settings.roles.evaluator.model
    alone = 1 if settings.judge_unit == "row" else asked
    return [
        _proposals(settings, PROPOSALS, frame, waits=1),
        Part("executor", executor, answers, answers * shown, of.answer, 3 * of.turns, answers / 3),
        Part("evaluator", model, duels, duels * of.ballot(alone), VOTE_TOKENS, 2, duels / 2),
        Part("evaluator", model, checked, checked * of.ballot(1), VOTE_TOKENS, 1, checked),
    ]


def of_cuts(prepared: "Prepared", most: "Cuts", prompt: str) -> list[Part]:
    """The calls of pruning: each cut alone, then several together, and the last comparison."""
    from spotui.methods.method import Calls

    if prepared.is_marked:
        return of_scores(prepared, Calls(proposals=0, notes=0, answers=most.answers, steps=most.steps))
    settings, task = prepared.settings, prepared.task
    of = Lengths.of(task.questions, task.requirements, with_references=settings.reference_answers)
    asked = max(1, len(task.questions))
    alone = 1 if settings.judge_unit == "row" else asked
    votes = VOTES.get(settings.judge, VOTES["balanced"])
    duels = most.duels * votes.asked * (asked if settings.judge_unit == "row" else 1)
    answers, checked = most.answers * of.turns, most.checked * VOTES_A_ROW
    shown = of.said + estimate_tokens(prompt)
    executor, evaluator = settings.roles.executor.model, settings.roles.evaluator.model
    return [
        Part("executor", executor, answers, answers * shown, of.answer, most.steps, answers / most.steps),
        Part(
            "evaluator",
            evaluator,
            duels,
            duels * of.ballot(alone),
            votes.tokens,
            most.steps,
            duels / most.steps,
        ),
        Part("evaluator", evaluator, checked, checked * of.ballot(1), VOTE_TOKENS, 1, checked),
    ]


def of_duels(prepared: "Prepared", rounds: int, *, checked: bool) -> list[Part]:
    """The calls of a method that compares answers, with a final check of the best prompt or without."""
    settings, task = prepared.settings, prepared.task
    pool, asked = (*task.questions, *task.held_out), max(1, len(task.questions))
    of = Lengths.of(pool, task.requirements, with_references=settings.reference_answers)
    width = int(getattr(prepared.parameters, prepared.method.width, 1)) if prepared.method.width else 1
    waits, judged = rounds - 1, len(pool) if checked else 0
    duels = waits * width
    held_out = max(0, judged - asked)  # only the final check asks these, of the seed and of the best
    seed = estimate_tokens(task.prompt)
    prompt = max(seed, PROMPT_TOKENS)
    learns = getattr(prepared.parameters, "feedback", "none") != "none"
    proposal = (
        PROPOSE_FRAME
        + LESSONS * learns
        + of.requirements
        + prompt
        + asked * (of.reference + of.question + of.answer)
    )
    turns = of.turns
    shown = turns * asked * (seed + duels * prompt + (1 + duels) * of.said)
    executor = settings.roles.executor.model
    parts = [
        _proposals(settings, duels, duels * proposal, waits=waits),
        Part(
            "executor", executor, (1 + duels) * asked * turns, shown, of.answer, rounds * turns, asked * width
        ),
    ]
    if held_out:
        shown = turns * held_out * (seed + prompt + 2 * of.said)
        parts.append(Part("executor", executor, 2 * held_out * turns, shown, of.answer, turns, 2 * held_out))
    if settings.judge == "likelihood":
        # Every answer is measured twice, with the requirements and without; nothing is written.
        answers = (1 + duels) * asked + 2 * held_out
        return [*parts, _measured(settings, 2 * answers, of, waits=answers, at_once=1)]
    return [*parts, *_votes(settings, of, asked, duels, width, judged)]


def _votes(
    settings: RunSettings, of: "Lengths", asked: int, duels: int, width: int, checked: int
) -> Iterator[Part]:
    """The votes of the rounds, in which the judges take turns, and of the final check, in which all vote."""
    votes, panel = VOTES[settings.judge], settings.panel
    alone = asked if settings.judge_unit == "row" else 1
    calls, in_check = duels * votes.asked * alone, VOTES_A_ROW * checked
    for number, model in enumerate(panel):  # they vote at once: the run waits for the first one
        taken = (calls + len(panel) - 1 - number) // len(panel)
        waits = 0 if number else duels // width * votes.waves
        at_once = width * votes.asked / votes.waves * alone
        shown = taken * of.ballot(asked // alone)
        yield Part("evaluator", model, taken, shown, votes.tokens, waits, at_once)
        if in_check:
            waits, shown = (0 if number else 1), in_check * of.ballot(1)
            yield Part("evaluator", model, in_check, shown, votes.tokens, waits, in_check)


def of_scores(prepared: "Prepared", calls: "Calls") -> list[Part]:
    """The calls of a method that scores prompts on rows."""
    settings, method = prepared.settings, prepared.method
    of = row_lengths(prepared)
    steps = max(1, calls.steps)
    writes = method.asks is None or "evaluator" in method.asks(prepared.parameters)
    roles, shown = settings.roles, of.question + of.answer
    notes: Role = "evaluator" if writes else "optimizer"
    marks = calls.answers if is_judged(prepared.template) else 0

    def part(role: Role, number: int, asked: int, reply: int) -> Part:
        return Part(role, roles.of(role).model, number, number * asked, reply, calls.steps, number / steps)

    parts = [
        _proposals(settings, calls.proposals, calls.proposals * SCORED_PROPOSE_FRAME, waits=calls.steps),
        part(notes, calls.notes, NOTE_FRAME + shown, NOTE_TOKENS),
        part("evaluator", marks, MARK_FRAME + shown, MARK_TOKENS),
        part("executor", calls.answers * of.turns, PROMPT_TOKENS + of.said, of.answer),
    ]
    parts = [one for one in parts if one.role in settings.asked]
    if settings.embedding_model is not None and calls.embeddings:
        model, number, shown = settings.embedding_model, calls.embeddings, calls.embeddings * PROMPT_TOKENS
        parts.append(Part("embedding", model, number, shown, 0, calls.steps, number / steps))
    return parts


def row_lengths(prepared: "Prepared") -> "Lengths":
    """The lengths of the rows that prompts are scored on."""
    rows = prepared.rows.train if prepared.rows is not None else ()
    return Lengths.of([Question(row.asked, " ".join(row.references[:1]), row) for row in rows], "")


def of_damages(prepared: "Prepared") -> list[Part]:
    """The calls of a judge-check."""
    from spotui.runs.judge_check import DAMAGES

    settings, task = prepared.settings, prepared.task
    asked = max(1, len(task.questions))
    kinds = len(DAMAGES) - (asked == 1)  # an answer alone cannot be off topic
    of = Lengths.of(task.questions, task.requirements, with_references=settings.reference_answers)
    executor = settings.roles.executor.model
    shown = asked * (estimate_tokens(task.prompt) + of.question)
    answers = Part("executor", executor, asked * of.turns, shown * of.turns, of.answer, of.turns, asked)
    if settings.judge == "likelihood":
        calls = 2 * asked * (1 + kinds)
        return [answers, _measured(settings, calls, of, waits=1, at_once=calls)]
    calls, reply = VOTES_A_ROW * asked * kinds, VOTES[settings.judge].tokens
    judges = settings.panel if settings.judge != "logprob" else settings.panel[:1]
    at_once, shown = calls * len(judges) / kinds, calls * of.ballot(1)
    votes = [
        Part("evaluator", model, calls, shown, reply, 0 if number else kinds, at_once)
        for number, model in enumerate(judges)
    ]
    return [answers, *votes]


def of_labels(prepared: "Prepared", labels: "Sequence[Label]", *, tunes: bool) -> list[Part]:
    """The calls of a check of the judge against labels, and of its tuning."""
    from spotui.runs.labels.check import PROPOSALS

    settings, task, count = prepared.settings, prepared.task, len(labels)
    is_pair = labels[0].second is not None
    texts = sum(estimate_tokens(f"{one.row.asked}\n{one.first}\n{one.second or ''}") for one in labels)
    frame = VOTE_FRAME + estimate_tokens(task.aim if is_pair else task.criteria)
    # Every proposal is tried on half of the labels, and the best one on the other half.
    share = 1 + (PROPOSALS + 1) / 2 if tunes else 1
    if settings.judge == "likelihood" and is_pair:
        each, reply, judges = 4, 1, settings.panel[:1]
    else:
        each, judges = VOTES_A_ROW if is_pair else 1, settings.panel if is_pair else settings.panel[:1]
        reply = VOTES[settings.judge].tokens if is_pair else VOTE_TOKENS
    calls, asked = round(share * each * count), round(share * each * (texts + count * frame))
    waits = 1 + (PROPOSALS + 1 if tunes else 0)
    parts = [
        Part("evaluator", model, calls, asked, reply, 0 if number else waits, calls * len(judges) / waits)
        for number, model in enumerate(judges)
    ]
    if tunes:
        shown = PROPOSALS * (frame + texts * min(1, 8 / count))
        parts.append(_proposals(settings, PROPOSALS, round(shown), waits=PROPOSALS))
    return parts


class Lengths(NamedTuple):
    """Mean lengths of a task's texts, in tokens.

    Attributes:
        requirements: The requirements.
        question: A question.
        reference: A question with its reference answer, where judge and optimizer are shown those; else 0.
        answer: An answer, as long as the reference answers suggest where every question has one.
        turns: Answers to a question, where the user says more afterwards; rounded up.
    """

    requirements: int
    question: int
    reference: int
    answer: int
    turns: int = 1

    @property
    def said(self) -> int:
        """What stands in front of an answer: the question, and half of the turns behind it on average."""
        return self.question + (self.turns - 1) * (self.answer + TURN_TOKENS) // 2

    @classmethod
    def of(
        cls, questions: Sequence[Question], requirements: str, *, with_references: bool = False
    ) -> "Lengths":
        """The lengths for some questions."""
        number = max(1, len(questions))
        answers = [estimate_tokens(one.answer) for one in questions]
        question = sum(estimate_tokens(one.question) for one in questions) // number
        answer, reference = ANSWER_TOKENS, sum(answers) // number
        if all(answers):
            answer = max(LEAST_ANSWER_TOKENS, ANSWER_TO_REFERENCE * reference)
        shown = question + reference if with_references and reference else 0
        turns = math.ceil(sum(1 + len(one.row.turns) if one.row else 1 for one in questions) / number)
        return cls(estimate_tokens(requirements), question, shown, answer, max(1, turns))

    def ballot(self, questions: int) -> int:
        """A request for one vote on so many questions."""
        shown = self.reference + 2 * (self.question + self.turns * self.answer)
        return VOTE_FRAME + self.requirements + questions * shown


def _proposals(settings: RunSettings, calls: int, asked: int, *, waits: int) -> Part:
    model = settings.roles.optimizer.model
    reply = EMBEDDED_PROPOSAL_TOKENS if is_embedded(model) else PROPOSAL_TOKENS
    return Part("optimizer", model, calls, asked, reply, waits, calls / max(1, waits))


def _measured(settings: RunSettings, calls: int, of: Lengths, *, waits: int, at_once: int) -> Part:
    """Answers whose likelihood is measured: a model reads them, and writes nothing."""
    asked = calls * (of.requirements // 2 + of.question)
    return Part("evaluator", settings.roles.evaluator.model, calls, asked, of.answer, waits, at_once, 0)
