"""What the code puts into the slots of Chinese meta-prompts is Chinese, whatever language the app is in."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from spotui import lang
from spotui.domain.calls import Reply, Usage
from spotui.domain.events import PastPrompt
from spotui.domain.program_prompts import join_prompts, prompts_fault
from spotui.domain.records import AnswerRecord, RoundLine, VoteRecord
from spotui.domain.rows import Row
from spotui.domain.statistics import score
from spotui.engine import Candidate, Question, RowOutcome, RowSet, Scored, Splits, Task, Trial, wording
from spotui.engine.ballots import BallotBox, Wording
from spotui.engine.demonstrations import Demonstration, shown_with
from spotui.engine.execute import incomplete, missing
from spotui.engine.layout import Layout
from spotui.engine.marking import mark_question
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.propose import Proposer, form_problem
from spotui.judging.agreement import Decision
from spotui.judging.votes import Ballot
from spotui.lang import _
from spotui.llm.protocol import why_missing
from spotui.methods import declared_meta_prompts, load_method
from spotui.methods.gepa.evolution import feedback, mutation
from spotui.methods.gepa.evolution import merge as merge_two
from spotui.methods.gepa.front import child
from spotui.methods.gpo import asking, descent
from spotui.methods.gpo.parameters import Parameters
from spotui.methods.gradsum import GRADSUM, Summarizer, edit
from spotui.methods.parameters import read_parameters
from spotui.methods.spo import Parameters as OfSpo
from spotui.methods.spo import describe, plan
from spotui.metrics.choose import METRICS, MetricChoice
from spotui.runs.headroom.probes import Wanted, rewrites
from spotui.runs.headroom.proposals import Proposals
from spotui.runs.headroom.rows import RowProbes
from spotui.runs.labels import check as labels
from spotui.runs.synthesize import _Writer
from spotui.runs.task import wording_of
from spotui.templates.data.load import Dataset
from spotui.templates.read import parse_template
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.command_line import ROOT
from tests.model_server import JsonObject, ModelServer, Persona
from tests.runs.starting import Stage
from tests.spo_model import role_of

PIECES = ROOT / "spotui" / "engine" / "meta_prompts"
_NO_WORDS = re.compile(r"<[^<>]*>|\{[^{}]*\}|`[^`]*`")
_WORD = re.compile(r"[A-Za-z]{2,}")
_MARKS = {
    *("analyse", "modification", "prompt", "choose", "tie", "reason", "score", "evidence", "choice"),
    *("JSON", "diagnosis", "summary", "change", "criteria", "question", "answer", "text", "token"),
}
"""Names of the parts of a reply and of a row, and what a model has to write as it is."""


def in_english(text: str) -> list[str]:
    """Words of Latin letters that are no names, tags or slots."""
    return [word for word in _WORD.findall(_NO_WORDS.sub("", text)) if word not in _MARKS]


class Counted(dict[str, str]):
    """The pieces, and which of them have been asked for."""

    asked: set[str]

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found = Counted(msgspec.json.decode((PIECES / "pieces.zh.json").read_bytes()))
    found.asked = set()
    monkeypatch.setattr(wording, "_pieces", lambda language: found if language else {})
    return found


ROWS = tuple(Row(f"{n} 加 {n} 是多少？", (f"{2 * n}",) if n else (), {"备注": "心算"}) for n in range(4))
SEED, BEST, LONG = "请计算。", "请分步计算，再给出结果。", "请计算。" * 40


def a_task(**more: Any) -> Task:
    questions = tuple(Question(row.question, "".join(row.references), row, "备注: 心算") for row in ROWS)
    fields: dict[str, Any] = {"requirements": "结果正确。", "criteria": "结果正确。", "word_limit": 40}
    given = {**fields, "slots": frozenset({"question"}), "language": "zh", **more}
    return Task("{question} " + SEED, questions=questions, **given)


def an_engine(task: Task) -> Any:
    meta = MetaPrompts(declared=declared_meta_prompts().values(), language="zh")
    return SimpleNamespace(
        meta=meta,
        task=task,
        rows=Splits(Dataset(train=ROWS, eval=ROWS)),
        layout=Layout(),
        history=[],
        best=a_trial(task, BEST),
    )


def a_trial(task: Task, prompt: str) -> Trial:
    answers = tuple(AnswerRecord(one.question, "结果是 6。") for one in task.questions)
    return Trial(Candidate(round=1, prompt=prompt), task.questions, answers)


def scored(prompt: str, mean: float) -> Scored:
    return Scored(Candidate(round=1, prompt=prompt), "eval", score([mean, mean]), (mean, mean))


OUTCOMES = [
    RowOutcome(1, "结果是 6。", 0.0, "结果不对。"),
    RowOutcome(2, "结果是 6。", 0.0, ""),
    RowOutcome(0, "结果是 6。", 0.5, "结果是 6。"),
]


class Turn:
    """As much of a round as the wording of a method takes."""

    number = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, role: str, purpose: str, text: str, **_more: object) -> str:
        self.asked.append(text)
        return f"要先分步（{len(self.asked)}）。"

    async def outcomes(self, prompt: str, rows: RowSet) -> list[RowOutcome]:
        return OUTCOMES

    async def propose_several(self, metas: list[str], *_more: object, **_options: object) -> list[Candidate]:
        self.asked += metas
        return []

    def note(self, *_more: object, **_options: object) -> None:
        pass


def of_spo() -> Iterator[str]:
    votes = tuple(
        VoteRecord(choice=choice, order="AB", reason="步骤更清楚。") for choice in ("win", "loss", "tie")
    )
    lost = RoundLine(
        *(2, "loss", LONG), modification="更长。", votes=votes, length_ratio=1.5, by_question=("win", "tie")
    )
    won = msgspec.structs.replace(lost, round=3, outcome="win", prompt=BEST, candidate=2)
    for more in ({}, {"requirements": "", "slots": None, "word_limit": None}, {"parts": ("plan", "solve")}):
        task = a_task(**more)
        engine = an_engine(task)
        engine.history = [RoundLine(1, "seed", SEED), lost, won]
        prompt = join_prompts({"plan": SEED, "solve": BEST}) if task.parts else BEST
        engine.best = msgspec.structs.replace(
            a_trial(task, prompt), candidate=Candidate(round=3, prompt=prompt)
        )
        parameters = OfSpo(width=3, rework_every=3)
        for one in plan(engine, parameters, 4):
            yield describe(engine, engine.best, 4, one.more)


def of_judges() -> Iterator[str]:
    for task in (a_task(), a_task(requirements="")):
        meta = an_engine(task).meta
        for name in ("judge_duel", "judge_duel_json", "judge_token"):
            yield from Wording(task, meta[name]).of_set(a_trial(task, SEED), a_trial(task, BEST)).values()
        for scale in ("binary", "graded"):
            yield mark_question(meta["mark_answer"], task.aim, scale, ROWS[1], "6", language="zh")
            yield wording.say(
                "zh", "It has no score tag with {scale}", scale=wording.say("zh", _scale_words()[scale])
            )
    yield asyncio.run(_question_by_question())


def _scale_words() -> Mapping[str, str]:
    from spotui.engine import marking

    return {str(name): text for name, text in marking._WORDS.items()}


async def _question_by_question() -> str:
    """The reason of a vote that is put together of one for each question."""
    asker = SimpleNamespace(language="zh")
    box = BallotBox(asker, 2, "vote", [{}] * 4, None, models=["m"])  # type: ignore[arg-type]
    choices = iter(("win", "loss", "tie", "void"))

    async def vote_on(ballot: Ballot, row: int) -> VoteRecord:
        return VoteRecord(choice=next(choices), reason="步骤更清楚。")  # type: ignore[arg-type]

    box.vote_on = vote_on  # type: ignore[method-assign]
    return (await box.vote(Ballot(0, "AB"))).reason


def of_gpo() -> Iterator[str]:
    past = [PastPrompt(round=1, text=SEED, score=0.4), PastPrompt(round=2, text="", score=0.2)]
    for name in ("gpo", "apo", "opro", "pe2", "sgdm", "ape"):
        defaults = dict(load_method(name).defaults)
        for more in ({}, {"trajectory_order": "descending"}, {"trajectory_content": "reflections"}):
            for recent in ("recency", "relevance", "importance"):
                given = {**defaults, **more, "trajectory_selection": recent, "task_examples": 2}
                parameters = msgspec.convert(given, Parameters)
                for task in (a_task(), a_task(parts=("plan", "solve"), requirements="")):
                    prompt = join_prompts({"plan": SEED, "solve": BEST}) if task.parts else ""
                    current = scored(prompt, 0.5)
                    yield asking.describe(
                        an_engine(task), parameters, current, past, "要分步。", "没有分步。", 7, 2
                    )
                    yield asking.latest(an_engine(task), parameters, current, "没有分步。")
    turn, engine = Turn(), an_engine(a_task())
    reflecting = msgspec.convert({"descent_direction": "performance+reflection"}, Parameters)
    asyncio.run(descent.reflect(engine, turn, reflecting, scored(SEED, 0.5), 1))  # type: ignore[arg-type]
    asyncio.run(descent.summarize(engine, turn, "", "要分步。"))  # type: ignore[arg-type]
    yield from turn.asked
    check = asking.fault_finder(msgspec.convert({"edit_budget_enforcement": "reject"}, Parameters), 1)
    yield wording.in_words("zh", check("一 二 三 四", "五 六 七 八"))


def of_gradsum_and_gepa() -> Iterator[str]:
    turn, engine = Turn(), an_engine(a_task())
    rows = engine.rows.train
    asyncio.run(Summarizer(engine, turn, 0, SEED, 8000).summary(rows, OUTCOMES))  # type: ignore[arg-type]
    parameters = read_parameters("gradsum", GRADSUM, {})
    asyncio.run(edit(engine, turn, parameters, [(Candidate(1, SEED), "要分步。")], 0, 1))  # type: ignore[arg-type]
    members = [child(1, at, scored(text, 0.5)) for at, text in enumerate((SEED, BEST))]
    of_gepa = read_parameters("gepa", load_method("gepa"), {})
    found = asyncio.run(mutation(engine, turn, of_gepa, members[0], 1))  # type: ignore[arg-type]
    assert found is not None
    yield found.text
    yield merge_two(engine, of_gepa, *members).text  # type: ignore[arg-type]
    yield from (feedback(engine, rows, one) for one in OUTCOMES)
    yield from turn.asked
    for layout in (Layout(), Layout(labels=True)):
        yield shown_with(SEED, [Demonstration(1, ROWS[1], "2")], layout, "zh")


def of_tools() -> Iterator[str]:
    task = a_task()
    asked: list[str] = []
    context = SimpleNamespace(task=task, meta=an_engine(task).meta)
    proposals: Any = Proposals.__new__(Proposals)
    proposals._context = context

    async def propose(_round: int, meta: str, *_more: object, **_options: object) -> None:
        asked.append(meta)

    proposals._proposer = SimpleNamespace(propose=propose)
    headroom: Any = RowProbes.__new__(RowProbes)
    headroom._context = context
    rows = RowSet("train", ROWS)
    examples = [headroom._example(1, rows, one) for one in (*OUTCOMES, RowOutcome(0, "6", None))]
    asyncio.run(proposals.ask("\n\n".join(examples), []))
    yield from asked
    options = (Row("哪一个？\nA、猫\nB、狗", ("A",)),)
    for kind in (None, *METRICS):
        for name, train in (("", ROWS), ("", options), ("答案", ROWS)):
            choice = None if kind is None else MetricChoice(kind)
            if name:
                choice = MetricChoice("tag", {"tag": name}, choice)
            for one in rewrites(a_task(word_limit=None), Wanted(choice, task.criteria, train)):
                yield f"{one.prompt}\n{one.change}"

    asker = _Asker()
    labelled = SimpleNamespace(task=task, meta=context.meta, asker=asker)
    for second, decisions in (
        (None, [Decision("pass", "fail")]),
        ("6", [Decision("first", "second"), Decision("tie", "void")]),
    ):
        label = SimpleNamespace(row=ROWS[1], first="2", second=second)
        judged = tuple(SimpleNamespace(label=label, decision=one, reason="结果不对。") for one in decisions)
        best = SimpleNamespace(judged=judged, criteria="结果正确。")
        asyncio.run(labels._propose(labelled, best, 1, 0))  # type: ignore[arg-type]
    writing: Any = _Writer.__new__(_Writer)
    writing.__dict__ |= {
        "_context": labelled,
        "_prepared": SimpleNamespace(task=task),
        "_slots": ["备注"],
        "_rows": list(ROWS),
        "_has_question": True,
        "_has_answers": True,
        "_repeated": [],
        "drafts": [],
    }
    asyncio.run(writing._ask(0, 3))
    yield from asker.asked


class _Asker:
    """Takes requests, and replies nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def request(self, _role: str, messages: list[Any]) -> None:
        self.asked.append(messages[0].content)

    async def ask(self, *_more: object) -> Reply:
        return Reply("", "stop", Usage(0, 0), 0.0)

    def read(self, *_more: object, **_options: object) -> dict[str, str]:
        return {}


def problems() -> Iterator[str]:
    """Everything that is said of a reply that cannot be used."""
    whole = Reply("<prompt>一", "stop", Usage(3, 4), 0.0)
    cut = msgspec.structs.replace(whole, finish_reason="length")
    filtered = msgspec.structs.replace(whole, finish_reason="content_filter")
    empty = msgspec.structs.replace(whole, text="")
    thought = msgspec.structs.replace(empty, reasoning="想一想")
    loop = msgspec.structs.replace(cut, is_loop=True)
    for reply, parts in ((cut, {}), (loop, {}), (filtered, {}), (whole, {}), (whole, {"prompt": ""})):
        yield form_problem(reply, parts)
    yield form_problem(whole, {"prompt": "<prompt>一"})
    for reply in (
        *(empty, thought, filtered, msgspec.structs.replace(empty, finish_reason="length")),
        *(msgspec.structs.replace(empty, finish_reason="content_filter"),),
        *(msgspec.structs.replace(empty, refusal="不行。"),),
        *(
            msgspec.structs.replace(thought, usage=Usage(1, number, estimated=is_estimated))
            for number in (1, 5)
            for is_estimated in (False, True)
        ),
    ):
        yield why_missing(reply)
    yield from (incomplete(cut), missing(empty), missing(filtered))
    proposer: Any = Proposer.__new__(Proposer)
    proposer._task, proposer._word_limit = a_task(), 3
    yield proposer._problem("二 {question}", {"二 {question}": 2})
    yield proposer._problem("三", {})
    yield proposer._problem("三 {question} {other}", {})
    yield proposer._words_problem("……", ())
    yield proposer._words_problem("【新提示词】", ())
    yield proposer._words_problem("【提示词】请回答。", ())
    yield proposer._length_problem("一 二 三 四")
    yield prompts_fault("一", ("plan", "solve"))
    words = "一字不差"
    yield _(
        'Its prompt copies an example: "{words}". Write what is right for every input, in other words.',
        words=words,
    )
    yield _("It does not choose A, B or tie.")
    yield _("The answer only repeats the form.")


@pytest.fixture(params=["en", "zh_CN"])
def _language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That of the app, which says nothing of the language of a template."""
    monkeypatch.setenv(lang.VARIABLE, request.param)
    lang.use()
    yield
    monkeypatch.undo()
    lang.use()


@pytest.mark.usefixtures("_language")
def test_every_meta_prompt_in_chinese_is_filled_in_chinese(pieces: Counted) -> None:
    task = a_task()
    repair = an_engine(task).meta["spo_repair"]
    texts = [*of_spo(), *of_judges(), *of_gpo(), *of_gradsum_and_gepa(), *of_tools()]
    texts += [repair.render(problem=wording.in_words("zh", problem)) for problem in problems() if problem]
    found = {
        word: text for text in texts for word in in_english(text) if word not in ("plan", "solve", "other")
    }
    assert not found, "\n\n".join(f"{word}: {text}" for word, text in found.items())
    assert set(pieces) - pieces.asked == set(), "pieces that nothing says"


def test_pieces_have_the_slots_of_their_english_and_nothing_that_was_typed_is_translated(
    pieces: Counted,
) -> None:
    def slots(text: str) -> set[tuple[str, str]]:
        return {(name, form or "") for _text, name, form, _as in Formatter().parse(text) if name}

    assert {key: text for key, text in pieces.items() if slots(key) != slots(text)} == {}
    assert wording.say("zh", "Answer: {text}", text="win") == "回答：win"
    assert wording.say("", "Answer: {text}", text="win") == "Answer: win"
    assert wording.in_words("zh", "win") == "win"


CHINESE = """\
prompt: 请回答。
requirements: 生动而真实。
qa:
  - {question: 什么是潮汐？, answer: 月球的引力。}
  - {question: 海水为什么咸？, answer: 河流带来盐。}
  - {question: 海有多深？, answer: 一万一千米。}
"""


def chinese(request: JsonObject) -> str:
    """A proposal that cannot be used at first, and another one for every question."""
    text = text_of_json(request)
    if "此前对以上内容的一次回复" not in text:
        return "没有标签。"
    prompt = f"<prompt>请生动回答 {len(text)}。</prompt>"
    return f"<analyse>不够生动。</analyse><modification>更生动。</modification>{prompt}"


def text_of_json(request: JsonObject) -> str:
    return str(request["messages"][-1]["content"])


def chosen(request: JsonObject) -> str:
    return "<analyse>更生动。</analyse><choose>A</choose>"


def test_a_run_that_began_before_keeps_its_words_and_buys_nothing_again(tmp_path: Path) -> None:
    template = parse_template(CHINESE)
    assert (wording_of(template), wording_of(template, 6)) == ("zh", "")
    with ModelServer(
        Persona(role_of, propose=chinese, execute=lambda _: "月亮拉着海水。", judge=chosen)
    ) as server:
        stage = Stage(tmp_path, server)
        for edition in (7, 6):
            server.requests.clear()
            project = stage.project(f"of-{edition}", CHINESE)
            old = msgspec.structs.replace(read_snapshot(project.snapshot), edition=edition)
            write_snapshot(project.snapshot, old)
            stage.go(project)
            asked = [text_of_json(one.json) for one in server.requests if role_of(one.json) != "execute"]
            said = "问题 1：什么是潮汐？" if edition == 7 else "Question 1: 什么是潮汐？"
            assert all(said in one for one in asked)
            assert any(("It has no complete prompt tag." in one) == (edition == 6) for one in asked)
            assert bool([word for one in asked for word in in_english(one)]) == (edition == 6)
            bought = len(server.requests)
            stage.go(project)
            assert len(server.requests) == bought
