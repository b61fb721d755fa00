"""docs/evidence.md."""

from collections.abc import Sequence
from typing import Final

from benchmarks.evidence.results import Result, of_models
from benchmarks.evidence.tasks import (
    CALLS,
    CANDIDATES,
    ENTRANTS,
    LONGEST_ANSWER,
    PROBES,
    ROWS,
    SEED_PROMPT,
    SEEDS,
    TASKS,
)
from spotui.domain.statistics import compare, score
from spotui.domain.version import VERSION

_HEAD: Final = f"""
# Evidence

Written by `python -m benchmarks.evidence ROWS` (spotui {VERSION}). All results are
reported, whatever they are.

- Answers of {LONGEST_ANSWER} tokens at most; the writer is optimizer and evaluator.
- Every method gets {CALLS} model calls over all roles, {ROWS["train"]} train rows to write prompts from, and
  {ROWS["eval"]} eval rows to choose by. `{PROBES}` is the best probe of `spotui headroom` alone. A method
  “from probes” has what is left after the calls of the probes.
- {ROWS["test"]} test rows for each task and seed, which no run has seen.
- Rows: BIG-Bench Hard (MIT, 2022 suzgunmirac). Tasks are chosen by what their best probe gains with the
  first seed (`--headroom`); no method's result takes part in the choice.
- The seed prompt is “{SEED_PROMPT}”; all prompts are in front of the question.

Accuracy is over the test rows of all seeds, with its 95% interval. A gain compares best and seed prompt on
the same rows; if its interval includes 0, there may be none.
"""

_TABLE: Final = """
| task | method | runs | seed | best | gain | rows won : lost | calls |
|---|---|---|---|---|---|---|---|
"""

_AGAINST: Final = """
Against other packages, on the test rows of every run that both have ended, one difference for each row:

| method | against | runs | method | other | difference | rows won : lost |
|---|---|---|---|---|---|---|
"""

_EACH: Final = """
Each run, on the test rows of its seed:

| task | seed | method | seed prompt | best prompt | calls | best prompt |
|---|---|---|---|---|---|---|
"""

_SHOWN: Final = 120


def report(results: Sequence[Result]) -> str:
    """The document."""
    models = dict.fromkeys((one.executor, one.writer, one.has_grammar) for one in results)
    return _HEAD.lstrip() + "".join(_section(of_models(results, one)) for one in models)


def _section(results: Sequence[Result]) -> str:
    """What some models have shown."""
    one = results[0]
    bound = "replies in a form are bound to grammars" if one.has_grammar else "without grammars"
    tasks = dict.fromkeys(one.task for one in results)
    names = [PROBES, *(one.name for one in ENTRANTS)]
    chance = ", ".join(f"{CANDIDATES[task].chance:.3f} in {task}" for task in tasks)
    lines = [
        "",
        f"## Executor {one.executor}, writer {one.writer}, {bound}",
        "",
        f"Run so far: {_state(results)}",
        f"Guessing reaches {chance}: most of a gain below that is the form of the answer, not ability.",
        *_TABLE.rstrip().splitlines(),
    ]
    for task in tasks:
        lines += [
            _row(task, name, [r for r in results if (r.task, r.name) == (task, name)]) for name in names
        ]
    lines += [_row("**all**", name, [r for r in results if r.name == name]) for name in names]
    others = [name for name in names if name.startswith("dspy-")]
    lines += _AGAINST.rstrip().splitlines()
    lines += [_against(results, name, other) for name in names if name not in others for other in others]
    lines += _EACH.rstrip().splitlines()
    lines += [_each(one) for one in sorted(results, key=lambda one: (one.task, one.seed))]
    return "\n".join(line for line in lines if line is not _NOTHING) + "\n"


_NOTHING: Final = "nothing was run"


def _against(results: Sequence[Result], name: str, other: str) -> str:
    """What a method found beside what another package found, where both were run."""
    ours_at = {(one.task, one.seed): one.best_marks for one in results if one.name == name}
    theirs_at = {(one.task, one.seed): one.best_marks for one in results if one.name == other}
    places = [place for place in ours_at if place in theirs_at]
    if not places:
        return _NOTHING
    ours = tuple(mark for place in places for mark in ours_at[place])
    theirs = tuple(mark for place in places for mark in theirs_at[place])
    paired = compare(theirs, ours)
    difference = f"{paired.difference:+.3f} ({paired.interval.low:+.3f} to {paired.interval.high:+.3f})"
    return (
        f"| {name} | {other} | {len(places)} | {score(ours).mean:.3f} | {score(theirs).mean:.3f} | "
        f"{difference} | {paired.wins} : {paired.losses} |"
    )


def _each(one: Result) -> str:
    prompt = " ".join(one.prompt.split()).replace("|", "\\|")
    shown = prompt if len(prompt) <= _SHOWN else f"{prompt[:_SHOWN]} …"
    before, after = score(one.seed_marks).mean, score(one.best_marks).mean
    return f"| {one.task} | {one.seed} | {one.name} | {before:.3f} | {after:.3f} | {one.calls} | {shown} |"


def _state(results: Sequence[Result]) -> str:
    """How much of the plan there is, in a sentence or two."""
    places = {(one.task, one.seed) for one in results}
    tasks, seeds = {task for task, _ in places}, {seed for _, seed in places}
    state = f"{len(tasks)} of {TASKS} tasks, {len(seeds)} of {len(SEEDS)} seeds."
    done = {one.name: sum(one.name == r.name for r in results) for one in ENTRANTS}
    missing = [f"{name} ({len(places) - count})" for name, count in done.items() if count < len(places)]
    return f"{state} Not run there yet: {', '.join(missing)}." if missing else state


def _row(task: str, name: str, results: Sequence[Result]) -> str:
    """One line of the table, all seeds together."""
    if not results:
        return _NOTHING
    old = tuple(mark for one in results for mark in one.seed_marks)
    new = tuple(mark for one in results for mark in one.best_marks)
    paired, before, after = compare(old, new), score(old), score(new)
    gain = f"{paired.difference:+.3f} ({paired.interval.low:+.3f} to {paired.interval.high:+.3f})"
    return (
        f"| {task} | {name} | {len(results)} | "
        f"{before.mean:.3f} ({before.interval.low:.3f} to {before.interval.high:.3f}) | "
        f"{after.mean:.3f} ({after.interval.low:.3f} to {after.interval.high:.3f}) | {gain} | "
        f"{paired.wins} : {paired.losses} | {sum(one.calls for one in results)} |"
    )
