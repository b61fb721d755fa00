"""Usable first replies: `python -m benchmarks.forms ROWS` prints their share for each meta-prompt.

ROWS is a folder of JSONL files with `question` and `answer`. Every try asks about rows of another file, with
the wording and the temperature of a run. An embedded model is served over HTTP as any OpenAI-compatible
server would serve it: without a grammar, unless `--grammar` is given. Replies are kept below `--work`, so a
benchmark that was interrupted asks for the rest only, and a change of how replies are read asks for nothing.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sys
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.domain.events import PastPrompt
from spotui.domain.messages import Message
from spotui.domain.records import AnswerRecord
from spotui.domain.rows import Row
from spotui.domain.secret import Secret
from spotui.domain.statistics import score, wilson
from spotui.domain.tags import read_form
from spotui.engine import Candidate, Question, RowOutcome, Scored, Splits, Task, Trial
from spotui.engine.ballots import Wording
from spotui.engine.layout import Layout
from spotui.engine.marking import GRADE_LENGTHS, mark_question, read_grade
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.propose import PARTS, form_problem, proposal_lengths
from spotui.judging.votes import read_vote
from spotui.llm.local.grammar import tagged_grammar
from spotui.llm.local.store import ModelStore
from spotui.llm.protocol import Provider, digest_of
from spotui.llm.providers.embedded import EmbeddedProvider
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.routing import Endpoint
from spotui.methods import declared_meta_prompts, load_method
from spotui.methods.gpo.asking import describe as describe_step
from spotui.methods.gpo.asking import failures
from spotui.methods.gpo.parameters import Parameters
from spotui.methods.spo import describe as describe_best
from spotui.settings.locations import models_dir
from spotui.settings.table import DEFAULT_MODEL, DEFAULTS, is_embedded
from spotui.templates.data.load import Dataset

QUESTIONS: Final = 2
LONGEST_QUESTION: Final = 160
"""Characters: a small machine reads a few tokens a second."""
REQUIREMENTS: Final = "The answer is right, and its last line holds the solution and nothing else."
PROMPTS: Final = (
    "Answer the question.",
    "Think step by step, then give the answer.",
    "Read the question carefully and answer it in one line.",
)
PRESETS: Final = ("gpo", "ape", "apo", "opro", "pe2", "sgdm")
LESSONS: Final = (
    (
        "The prompt does not say how the answer has to look, so the solution is not on a line alone. It does "
        "not ask to check the result either."
    ),
    "Units and names are copied from the question although only the solution is wanted.",
    "The prompt has to ask for every step in its order, as steps at the end of a question are left out.",
    "It never says that the options are in the question, so answers name something that is not among them.",
    "The model guesses where it could count. Ask for a list of the items, then for their number.",
    "Answers begin with remarks about the question. The prompt should forbid everything but the solution.",
    "Negations are read past. The prompt should ask to resolve what is in brackets first.",
)
REASON: Final = "The answer differs from the reference."
"""What a model says of failures, where a meta-prompt needs that."""


class Try(NamedTuple):
    """One request, and whether its reply can be used."""

    text: str
    temperature: float
    is_usable: Callable[[Reply], bool]
    grammar: str | None = None
    json: bool = False


@cache
def _short_rows(folder: Path) -> list[list[dict[str, Any]]]:
    """The rows of each file whose questions are short, where there are enough."""
    files = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        short = [one for one in rows if len(one["question"]) <= LONGEST_QUESTION]
        if len(short) >= 2 * QUESTIONS:
            files.append(short)
    if not files:
        raise SpotuiError(
            f"{folder} has no JSONL file with enough questions of {LONGEST_QUESTION} characters."
        )
    return files


class Scene:
    """Rows of one file with answers to them: every second one is wrong.

    Args:
        folder: The files.
        number: Of the try; it chooses the file and the rows.
        meta: The meta-prompts.
    """

    def __init__(self, folder: Path, number: int, meta: MetaPrompts) -> None:
        self.rng = random.Random(number)
        files = _short_rows(folder)
        drawn = self.rng.sample(files[number % len(files)], 2 * QUESTIONS)
        self.rows = [Row(one["question"], (str(one["answer"]),)) for one in drawn]
        self.meta = meta
        self.prompt = PROMPTS[number % len(PROMPTS)]
        self.preset = PRESETS[number % len(PRESETS)]
        self.lesson = LESSONS[number % len(LESSONS)]

    @cached_property
    def engine(self) -> Any:
        """As much of an engine as the wording of a method takes."""
        data = Dataset(train=tuple(self.rows), eval=tuple(self.rows))
        task = Task(self.prompt, REQUIREMENTS, self.questions, criteria=REQUIREMENTS)
        return SimpleNamespace(meta=self.meta, task=task, rows=Splits(data), layout=Layout())

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(Question(row.question, row.references[0]) for row in self.rows[:QUESTIONS])

    @property
    def outcomes(self) -> list[RowOutcome]:
        return [RowOutcome(at, self.answer(at, right=False), 0.0, REASON) for at in range(QUESTIONS)]

    def answer(self, at: int, *, right: bool) -> str:
        """An answer to a row, with its own solution or another row's."""
        solution = self.rows[at if right else (at + 1) % len(self.rows)].references[0]
        return f"Let me think about it. The solution is {solution}." if at % 2 else solution

    def trial(self, *, right: bool) -> Trial:
        answers = tuple(
            AnswerRecord(one.question, self.answer(at, right=right or at % 2 == 0))
            for at, one in enumerate(self.questions)
        )
        return Trial(Candidate(round=1, prompt=self.prompt), self.questions, answers)

    def scored(self, prompt: str, mean: float) -> Scored:
        return Scored(Candidate(round=1, prompt=prompt), "eval", score([mean, mean]), (mean, mean))


def _read(reply: Reply, *names: str, asked: str = "") -> dict[str, str]:
    return read_form(reply.text, *names, asked=asked, is_whole=reply.finish_reason == "stop")


def _proposed(text: str, temperature: float) -> Try:
    def is_usable(reply: Reply) -> bool:
        return not form_problem(reply, _read(reply, *PARTS, asked=text))

    return Try(text, temperature, is_usable, tagged_grammar(proposal_lengths(None)))


def _noted(text: str, part: str) -> Try:
    """A note that is complete and in its part; a run also uses one that is not."""

    def is_usable(reply: Reply) -> bool:
        return reply.finish_reason == "stop" and bool(_read(reply, part))

    return Try(text, 0.0, is_usable)


def spo_propose(scene: Scene) -> Try:
    text = describe_best(scene.engine, scene.trial(right=False), 2)
    return _proposed(text, DEFAULTS["optimizer"].temperature)


def gpo_propose(scene: Scene) -> Try:
    """The wording of GPO and of each method that is a special case of it, in turn."""
    method = load_method(scene.preset)
    parameters = msgspec.convert(dict(method.defaults), Parameters)
    past = [PastPrompt(round=at, text=one, score=0.3 + at / 10) for at, one in enumerate(PROMPTS, 1)]
    reflects = parameters.descent_direction != "performance"
    text = describe_step(
        scene.engine,
        parameters,
        scene.scored(scene.prompt, 0.5),
        past if parameters.trajectory == "retrieval" else [],
        LESSONS[0] if parameters.trajectory == "summarization" else "",
        LESSONS[0] if reflects else "",
        None if parameters.edit_budget_schedule == "none" else 40,
        2,
    )
    return _proposed(text, parameters.optimizer_temperature)


def gpo_reflect(scene: Scene) -> Try:
    text = scene.meta["gpo_reflect"].render(
        task=REQUIREMENTS,
        prompt=scene.prompt,
        failures=failures(scene.engine, scene.engine.rows.train, scene.outcomes),
    )
    return _noted(text, "diagnosis")


def gpo_summarize(scene: Scene) -> Try:
    text = scene.meta["gpo_summarize"].render(task=REQUIREMENTS, summary="Nothing yet.", latest=scene.lesson)
    return _noted(text, "summary")


def gradsum_gradient(scene: Scene) -> Try:
    one = scene.outcomes[0]
    text = scene.meta["gradsum_gradient"].render(
        task=REQUIREMENTS,
        prompt=scene.prompt,
        input=scene.rows[0].question,
        response=one.answer,
        criteria=REQUIREMENTS,
        reason=f"{one.note} Expected: {scene.rows[0].references[0]}",
    )
    return _noted(text, "change")


def gradsum_summarize(scene: Scene) -> Try:
    gradients = f"{scene.lesson}\n\n{LESSONS[-1]}"
    text = scene.meta["gradsum_summarize"].render(task=REQUIREMENTS, gradients=gradients)
    return _noted(text, "summary")


def gradsum_edit(scene: Scene) -> Try:
    text = scene.meta["gradsum_edit"].render(
        task=REQUIREMENTS,
        current=scene.prompt,
        summary=scene.lesson,
        change="Edit the prompt so that these failures no longer occur.",
    )
    return _proposed(text, 1.0)


def _judged(scene: Scene, name: str) -> str:
    order = scene.rng.choice(("AB", "BA"))
    wording = Wording(scene.engine.task, scene.meta[name])
    return wording.of_set(scene.trial(right=False), scene.trial(right=True))[order]  # type: ignore[index]


def judge_duel(scene: Scene) -> Try:
    return Try(
        _judged(scene, "judge_duel"),
        DEFAULTS["evaluator"].temperature,
        lambda reply: read_vote(reply.text, "AB", is_whole=reply.finish_reason == "stop") != "void",
    )


def judge_duel_json(scene: Scene) -> Try:
    return judge_duel(scene)._replace(text=_judged(scene, "judge_duel_json"), json=True)


def mark_answer(scene: Scene) -> Try:
    text = mark_question(
        scene.meta["mark_answer"],
        REQUIREMENTS,
        "binary",
        scene.rows[0],
        scene.answer(0, right=scene.rng.random() < 0.5),
    )
    return Try(
        text,
        DEFAULTS["evaluator"].temperature,
        lambda reply: (
            read_grade(_read(reply, *GRADE_LENGTHS, asked=text).get("score", ""), "binary") is not None
        ),
        tagged_grammar(GRADE_LENGTHS),
    )


ASKED: Final = (
    *(spo_propose, gpo_propose, gpo_reflect, gpo_summarize),
    *(gradsum_gradient, gradsum_summarize, gradsum_edit),
    *(judge_duel, judge_duel_json, mark_answer),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", type=Path, help="a folder of JSONL files")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--base-url", help="an OpenAI-compatible server that serves the model")
    parser.add_argument("--tries", type=int, default=6, help="requests for each meta-prompt")
    parser.add_argument("--only", nargs="*", default=[one.__name__ for one in ASKED], help="meta-prompts")
    parser.add_argument("--grammar", action="store_true", help="bind replies by the grammar of their form")
    parser.add_argument("--prompts", type=Path, nargs="*", default=[], help="folders with replacements")
    parser.add_argument("--max-tokens", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument(
        "--work", type=Path, default=Path("evidence") / "forms", help="where replies are kept"
    )
    parser.add_argument("--kept", action="store_true", help="ask nothing: the table of the kept replies")
    parser.add_argument("--show", action="store_true", help="also print replies that cannot be used")
    try:
        asyncio.run(measure(parser.parse_args()))
    except SpotuiError as error:
        sys.exit(str(error))


async def measure(options: argparse.Namespace) -> None:
    """Ask for what is missing, the first try of each meta-prompt first, and print the table."""
    meta = MetaPrompts(*options.prompts, declared=declared_meta_prompts().values())
    chosen = [build for build in ASKED if build.__name__ in options.only]
    tries = {
        (build.__name__, number): build(Scene(options.rows, number, meta))
        for number in range(options.tries)
        for build in chosen
    }
    if options.grammar:
        tries = {key: one for key, one in tries.items() if one.grammar is not None}
    provider, free = open_provider(options), asyncio.Semaphore(options.at_once)
    try:
        replies = await asyncio.gather(
            *[reply_to(one, *key, provider, free, options) for key, one in tries.items()]
        )
    finally:
        await provider.aclose()
    usable: dict[str, list[bool]] = {}
    for (name, _), one, reply in zip(tries, tries.values(), replies, strict=True):
        if reply is not None:
            usable.setdefault(name, []).append(one.is_usable(reply))
            if options.show and not usable[name][-1]:
                print(f"\n--- {name}: {reply.finish_reason}\n{reply.text}\n---")
    way = "bound by a grammar" if options.grammar else "served plainly"
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{options.model}, {way}; {machine}\n\n| meta-prompt | usable first replies | 95% interval |")
    print("|---|---|---|")
    for name, found in usable.items():
        print(line(name, found))
    print(line("**all**", [one for found in usable.values() for one in found]))


def open_provider(options: argparse.Namespace) -> Provider:
    if options.base_url:
        key = os.environ.get("OPENAI_API_KEY")
        endpoint = Endpoint(options.model, options.base_url, Secret(key) if key else None, timeout=1800)
        return OpenAICompatibleProvider(endpoint)
    if not is_embedded(options.model):
        sys.exit("Give --base-url for a model that is not embedded.")
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.work / "server.log"
    return EmbeddedProvider(options.model, ModelStore(models_dir()), log, slots=options.at_once, timeout=3600)


async def reply_to(
    one: Try,
    name: str,
    number: int,
    provider: Provider,
    free: asyncio.Semaphore,
    options: argparse.Namespace,
) -> Reply | None:
    """The reply to a request: the one that is kept, or a new one; None where only kept ones are wanted."""
    request = Request(
        options.model,
        (Message("user", one.text),),
        temperature=one.temperature,
        max_tokens=options.max_tokens,
        grammar=one.grammar if options.grammar else None,
        json=one.json,
    )
    path = options.work / options.model.replace("/", "-") / name / f"{number}-{digest_of(request)}.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Reply)
    if options.kept:
        return None
    async with free:
        reply = await provider.complete(request, lambda _: None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(reply))
    return reply


def line(name: str, usable: Sequence[bool]) -> str:
    """One line of the table."""
    share, interval = sum(usable) / max(1, len(usable)), wilson(sum(usable), len(usable))
    count = f"{sum(usable)} of {len(usable)}, {share:.0%}"
    return f"| {name} | {count} | {interval.low:.0%} to {interval.high:.0%} |"


if __name__ == "__main__":
    main()
