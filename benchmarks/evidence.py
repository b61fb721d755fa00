"""What the methods are worth on real rows: `python -m benchmarks.evidence ROWS` writes docs/evidence.md.

Seed, SPO, GPO and GRAD-SUM get the same rows, the same number of model calls and the same models, the
embedded ones, on three tasks with three seeds each. The test rows of a seed are asked once all its runs have
ended. It takes hours, and goes on where it was when it is started again: every reply is kept.

Args of the command: ROWS is a folder with a JSONL file of `question` and `answer` for each task.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from spotui.domain.statistics import Comparison, compare, score
from spotui.domain.version import VERSION
from spotui.engine.task import Scored
from spotui.runs.launch import Launcher
from spotui.runs.prepare import Prepared, Purpose, new_project, prepare, reopen
from spotui.runs.race import entrant as without_own_test
from spotui.runs.race import without_budget
from spotui.runs.score import Ruler, open_ruler
from spotui.settings.resolve import Flags
from spotui.templates.read import parse_template
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project, Workspace

EXECUTOR: Final = "local/qwen2.5-coder-0.5b"
WRITER: Final = "local/qwen2.5-coder-1.5b"
CALLS: Final = 100
SEEDS: Final = (0, 1, 2)
ROWS: Final = "{train: 12, eval: 12, test: 30}"
LONGEST_ANSWER: Final = 16
SEED_PROMPT: Final = "Answer the question."

HEAD: Final = f"""
# Evidence

Written by `python -m benchmarks.evidence ROWS` (spotui {{version}}, {{machine}}). All results are
reported, whatever they are.

- Executor {EXECUTOR}, optimizer and evaluator {WRITER}; answers of {LONGEST_ANSWER} tokens at most.
- Every method gets {CALLS} model calls over all roles, 12 train rows to write prompts from, and 12 eval rows
  to choose by; SPO asks three of the train rows in each round and judges by likelihood.
- 30 test rows for each task and seed, asked after all runs with that seed have ended; {{seeds}} seeds.
- Rows: BIG-Bench Hard (MIT, 2022 suzgunmirac). The seed prompt is “{SEED_PROMPT}”.

GPO puts the prompt after the question, the other methods before it, as in their papers; each is compared
with the seed prompt in the same position. Accuracy is over the test rows of all seeds, with its 95% interval.
A gain compares best and seed prompt on the same rows; if its interval includes 0, there may be none.

| task | method | runs | improved | seed | best | gain | rows won : lost | calls | minutes |
|---|---|---|---|---|---|---|---|---|---|
"""
EACH: Final = """

Each run, on the test rows of its seed:

| task | seed | method | seed prompt | best prompt | calls | minutes |
|---|---|---|---|---|---|---|
"""


class Exercise(NamedTuple):
    """One task: its file of rows, its metric, and what a good answer is like."""

    file: str
    metric: str
    requirements: str


class Entrant(NamedTuple):
    """One method, told what fits into so few calls."""

    method: str
    parameters: dict[str, int]


TASKS: Final = {
    "boolean expressions": Exercise(
        "bbh_boolean_expressions.jsonl",
        "yes_no",
        "The value of the expression, True or False, and it is right.",
    ),
    "sports understanding": Exercise(
        "bbh_sports_understanding.jsonl",
        "yes_no",
        "Whether the sentence is plausible, yes or no, and it is right.",
    ),
    "object counting": Exercise(
        "bbh_object_counting.jsonl",
        "number",
        "How many objects of the kind there are, as a number, and it is right.",
    ),
}
ENTRANTS: Final = (
    Entrant("gpo", {"max_steps": 3, "candidates_per_step": 2}),
    Entrant(
        "gradsum",
        {"iterations": 2, "beam": 2, "candidates_per_parent": 2, "train_rows": 6, "subset_rows": 6},
    ),
    Entrant("spo", {}),
)


class Result(NamedTuple):
    """What one method did on one task with one seed."""

    task: str
    seed: int
    method: str
    calls: int
    minutes: float
    improved: bool
    seed_test: Scored
    best_test: Scored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", type=Path, help="a folder of JSONL files")
    parser.add_argument("--work", type=Path, default=Path("evidence"), help="where runs are kept")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parents[1] / "docs" / "evidence.md",
        help="the file written",
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    arguments = parser.parse_args()
    results = asyncio.run(collect(arguments.rows.resolve(), arguments.work.resolve(), arguments.seeds))
    arguments.out.write_text(report(results), encoding="utf-8")
    sys.stdout.write(f"{arguments.out} is written.\n")


async def collect(rows: Path, work: Path, seeds: list[int]) -> list[Result]:
    """All runs, and then all tests; what is there already takes no time."""
    results: list[Result] = []
    for seed in seeds:
        for task in TASKS:
            for entrant in ENTRANTS:
                await run(rows, work, task, seed, entrant)
        for task in TASKS:
            results += await test(rows, work, task, seed)
    return results


async def run(rows: Path, work: Path, task: str, seed: int, entrant: Entrant) -> None:
    """One method on one task, to the end of its calls."""
    launcher = Launcher()
    project = project_of(work, task, seed, entrant.method)
    if not project.exists:
        prepared = prepared_for(launcher, rows, task, seed, entrant)
        new_project(Workspace(work), project.name, without_own_test(prepared))
    stop = read_history(project).stop
    if stop is not None and stop.reason in {"budget", "finished", "perfect"}:
        return
    began = time.time()
    stopped = await launcher.run(project).go()
    if stopped.reason not in {"budget", "finished", "perfect"}:
        raise SystemExit(f"{project.name} ended: {stopped.cause}")
    tell(f"{project.name}: {stopped.reason}, best is round {stopped.best}, {time.time() - began:.0f} s")


async def test(rows: Path, work: Path, task: str, seed: int) -> list[Result]:
    """Every best prompt and the seed on the test rows."""
    launcher = Launcher()
    prepared = without_budget(prepared_for(launcher, rows, task, seed, ENTRANTS[0], "score"))
    found: list[Result] = []
    place, connections = work / "tests" / slug(task, seed), launcher.connections(prepared.settings)
    async with open_ruler(prepared, place, connections, lambda _: None) as ruler:
        for entrant in ENTRANTS:
            found.append(await test_one(ruler, project_of(work, task, seed, entrant.method), task, seed))
            tell(f"{task}, seed {seed}, {entrant.method}: tested")
    return found


async def test_one(ruler: Ruler, project: Project, task: str, seed: int) -> Result:
    """One method's best prompt and the seed, asked as the method asks them."""
    layout = reopen(project).layout
    history = read_history(project)
    assert history.best is not None
    assert history.stop is not None
    (old,) = await ruler.measure([(SEED_PROMPT, layout)], "test")
    new = old
    if history.best.round > 1:
        (new,) = await ruler.measure([(history.best.prompt, layout)], "test")
    assert len(new.marks) == len(ruler.rows("test"))
    from spotui.runs.recorder import Earlier
    from spotui.workspace.journal import Journal

    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    return Result(
        task,
        seed,
        reopen(project).name,
        earlier.spending.calls,
        history.stop.seconds / 60,
        history.best.round > 1,
        old,
        new,
    )


def report(results: list[Result]) -> str:
    """The document."""
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    head = HEAD.format(version=VERSION, machine=machine, seeds=len({one.seed for one in results}))
    of_tasks = [
        row(
            task, entrant.method, [one for one in results if (one.task, one.method) == (task, entrant.method)]
        )
        for task in TASKS
        for entrant in ENTRANTS
    ]
    of_all = [
        row("**all**", entrant.method, [one for one in results if one.method == entrant.method])
        for entrant in ENTRANTS
    ]
    lines = [*head.strip().splitlines(), *of_tasks, *of_all, *EACH.rstrip().splitlines()]
    for one in results:
        old, new = one.seed_test.score, one.best_test.score
        lines.append(
            f"| {one.task} | {one.seed} | {one.method} | {old.mean:.3f} | {new.mean:.3f} | {one.calls} | "
            f"{one.minutes:.1f} |"
        )
    return "\n".join(lines) + "\n"


def row(task: str, method: str, results: list[Result]) -> str:
    """One line of the table: all seeds together."""
    old = tuple(mark for one in results for mark in one.seed_test.marks)
    new = tuple(mark for one in results for mark in one.best_test.marks)
    paired: Comparison = compare(old, new)
    before, after = score(old), score(new)
    gain = f"{paired.difference:+.3f} ({paired.interval.low:+.3f} to {paired.interval.high:+.3f})"
    return (
        f"| {task} | {method} | {len(results)} | {sum(one.improved for one in results)} | "
        f"{before.mean:.3f} ({before.interval.low:.3f} to {before.interval.high:.3f}) | "
        f"{after.mean:.3f} ({after.interval.low:.3f} to {after.interval.high:.3f}) | {gain} | "
        f"{paired.wins} : {paired.losses} | {sum(one.calls for one in results)} | "
        f"{sum(one.minutes for one in results):.0f} |"
    )


def template_text(rows: Path, task: str) -> str:
    """A task as a template."""
    exercise = TASKS[task]
    return (
        f"prompt: {SEED_PROMPT}\nrequirements: {exercise.requirements}\n"
        f"data:\n  path: {rows / exercise.file}\n  split: {ROWS}\nmetric: {exercise.metric}\n"
    )


def prepared_for(
    launcher: Launcher, rows: Path, task: str, seed: int, entrant: Entrant, purpose: Purpose = "run"
) -> Prepared:
    """The models and limits of every run."""
    text = template_text(rows, task)
    template = parse_template(text)
    flags = Flags(
        exec_model=EXECUTOR,
        opt_model=WRITER,
        eval_model=WRITER,
        exec_max_tokens=LONGEST_ANSWER,
        budget_calls=CALLS,
        seed=seed,
        max_rounds=1000 if entrant.method == "spo" else None,
        final_check=False,
    )
    return prepare(
        template,
        text,
        rows / task,
        launcher.settings(flags, template),
        method=entrant.method,
        parameters=entrant.parameters,
        purpose=purpose,
    )


def project_of(work: Path, task: str, seed: int, method: str) -> Project:
    return Workspace(work).project(f"{slug(task, seed)}/{method}")


def slug(task: str, seed: int) -> str:
    return f"{task.replace(' ', '-')}-{seed}"


def tell(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
