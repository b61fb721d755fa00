"""docs/evidence.md."""

import os
import platform
from collections.abc import Sequence
from typing import Final

from benchmarks.evidence.runs import Result
from benchmarks.evidence.tasks import (
    CALLS,
    CANDIDATES,
    ENTRANTS,
    EXECUTOR,
    LONGEST_ANSWER,
    PROBES,
    ROWS,
    SEED_PROMPT,
    SEEDS,
    TASKS,
    WRITER,
)
from spotui.domain.statistics import compare, score
from spotui.domain.version import VERSION

HEAD: Final = f"""
# Evidence

Written by `python -m benchmarks.evidence ROWS` (spotui {{version}}, {{machine}}). All results are
reported, whatever they are.

- Executor {EXECUTOR}, optimizer and evaluator {WRITER}; answers of {LONGEST_ANSWER} tokens at most.
- Every method gets {CALLS} model calls over all roles, {ROWS["train"]} train rows to write prompts from, and
  {ROWS["eval"]} eval rows to choose by. `{PROBES}` is the best probe of `spotui headroom` alone.
- {ROWS["test"]} test rows for each task and seed, which no run has seen.
- Rows: BIG-Bench Hard (MIT, 2022 suzgunmirac). Tasks are chosen by what their best probe gains with the
  first seed (`--headroom`); no method's result takes part in the choice.
- The seed prompt is “{SEED_PROMPT}”; all prompts are in front of the question.
- Run so far: {{state}}
- Guessing reaches {{chance}}. Most of a gain below that is the form of the answer, not ability.

Accuracy is over the test rows of all seeds, with its 95% interval. A gain compares best and seed prompt on
the same rows; if its interval includes 0, there may be none.

| task | method | runs | seed | best | gain | rows won : lost | calls | minutes |
|---|---|---|---|---|---|---|---|---|
"""

EACH: Final = """

Each run, on the test rows of its seed:

| task | seed | method | seed prompt | best prompt | calls | minutes | best prompt |
|---|---|---|---|---|---|---|---|
"""

_SHOWN: Final = 120


def report(results: Sequence[Result]) -> str:
    """The document."""
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    names = [PROBES, *(one.name for one in ENTRANTS)]
    chance = ", ".join(
        f"{CANDIDATES[task].chance:.3f} in {task}" for task in dict.fromkeys(one.task for one in results)
    )
    head = HEAD.format(version=VERSION, machine=machine, state=_state(results), chance=chance)
    lines = head.strip().splitlines()
    rows = [
        _row(task, name, [one for one in results if (one.task, one.name) == (task, name)])
        for task in dict.fromkeys(one.task for one in results)
        for name in names
    ]
    rows += [_row("**all**", name, [one for one in results if one.name == name]) for name in names]
    lines += filter(None, rows)
    lines += EACH.rstrip().splitlines()
    for one in results:
        prompt = " ".join(one.prompt.split()).replace("|", "\\|")
        shown = prompt if len(prompt) <= _SHOWN else f"{prompt[:_SHOWN]} …"
        lines.append(
            f"| {one.task} | {one.seed} | {one.name} | {one.seed_test.score.mean:.3f} | "
            f"{one.best_test.score.mean:.3f} | {one.calls} | {one.minutes:.1f} | {shown} |"
        )
    return "\n".join(lines) + "\n"


def _state(results: Sequence[Result]) -> str:
    """How much of the plan there is, in a sentence or two."""
    tasks, seeds = {one.task for one in results}, {one.seed for one in results}
    places = {(one.task, one.seed) for one in results}
    done = {name: sum(one.name == name for one in results) for name in (one.name for one in ENTRANTS)}
    missing = [name for name, count in done.items() if count < len(places)]
    state = f"{len(tasks)} of {TASKS} tasks, {len(seeds)} of {len(SEEDS)} seeds."
    return f"{state} Not run there yet: {', '.join(missing)}." if missing else state


def _row(task: str, name: str, results: Sequence[Result]) -> str:
    """One line of the table, all seeds together; empty where nothing was run."""
    if not results:
        return ""
    old = tuple(mark for one in results for mark in one.seed_test.marks)
    new = tuple(mark for one in results for mark in one.best_test.marks)
    paired, before, after = compare(old, new), score(old), score(new)
    gain = f"{paired.difference:+.3f} ({paired.interval.low:+.3f} to {paired.interval.high:+.3f})"
    return (
        f"| {task} | {name} | {len(results)} | "
        f"{before.mean:.3f} ({before.interval.low:.3f} to {before.interval.high:.3f}) | "
        f"{after.mean:.3f} ({after.interval.low:.3f} to {after.interval.high:.3f}) | {gain} | "
        f"{paired.wins} : {paired.losses} | {sum(one.calls for one in results)} | "
        f"{sum(one.minutes for one in results):.0f} |"
    )
