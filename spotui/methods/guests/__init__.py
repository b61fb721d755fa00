"""Optimizers of DSPy and GEPA on the rows, the budget and the journal of a run of ours.

Each runs in a child process as it comes from its package, and asks models and rows by a loopback address
(`spotui.engine.loopback`). A prompt that it has asked on every eval row is a round of the run, so it is
tested and shown as every other. What DSPy adds to a prompt (demonstrations) is part of the text of the
prompt; its format of chat messages is not used, as a prompt has to mean the same in every method of a race.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from spotui.domain.declared import Note
from spotui.domain.text import count_words
from spotui.engine import Engine, RowSet
from spotui.engine.loopback import Ended
from spotui.lang import N_, _
from spotui.methods.method import Calls, Method, Package, shown_input

_CHILD: Final = "spotui.methods.guests.child"
_THREADS: Final = 8
"""Rows that DSPy asks at once; the door's own limits hold beside that."""

_DSPY: Final = Package("dspy", "dspy", ("3.4",))
_GEPA: Final = Package("gepa", "gepa", ("0.1",))
"""Tested were dspy 3.4.1 and gepa 0.1.4."""


class Mipro(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of DSPy's MIPROv2."""

    candidates: Annotated[
        int,
        Meta(ge=2, le=100, description=N_("instructions, and sets of demonstrations, from which it chooses")),
    ] = 6
    trials: Annotated[
        int, Meta(ge=1, le=1000, description=N_("combinations of both that are scored on all eval rows"))
    ] = 10
    demos: Annotated[
        int, Meta(ge=0, le=32, description=N_("solved rows in a prompt at most; 0: instructions alone"))
    ] = 4


class Copro(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of DSPy's COPRO."""

    breadth: Annotated[int, Meta(ge=2, le=100, description=N_("new instructions at each depth"))] = 6
    depth: Annotated[int, Meta(ge=1, le=100, description=N_("how often new instructions are written"))] = 3
    temperature: Annotated[
        float, Meta(ge=0, le=2, description=N_("the optimizer's temperature when it writes"))
    ] = 1.4


class Gepa(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of GEPA."""

    metric_calls: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description=N_("marked answers at most; the budget of the run may end it before"),
        ),
    ] = 1000
    minibatch: Annotated[
        int, Meta(ge=2, le=100, description=N_("train rows from which a new prompt is written"))
    ] = 3
    merge: Annotated[
        bool, Meta(description=N_("whether two prompts of the front are merged now and then"))
    ] = True


async def optimize(engine: Engine, parameters: Any, optimizer: str) -> None:
    """Score the seed, let the optimizer work, and keep every prompt that it scores on all eval rows.

    Args:
        engine: What the run works with.
        parameters: Those of the optimizer.
        optimizer: Its name.

    Raises:
        Halted: The run ends before, or the optimizer has failed.
    """
    rows = engine.rows.eval
    async with engine.round(1) as turn:
        (seed,) = await turn.score([engine.seed], rows)
        await turn.keep(seed)
    async with engine.loopback(_task(engine, parameters, optimizer), _CHILD) as loopback:
        loopback.knows(engine.seed.prompt)
        for number in engine.rounds():
            prompt = await loopback.next()
            if isinstance(prompt, Ended):
                if prompt.why:
                    engine.fail(_("{optimizer} failed: {why}", optimizer=optimizer, why=prompt.why))
                return
            async with engine.round(number, continues=True) as turn:
                modification = _("Written by {optimizer}.", optimizer=optimizer)
                candidate = turn.take(prompt, engine.seed, modification)
                if fault := _fault(engine, prompt):
                    turn.refuse(candidate, fault)
                    continue
                (scored,) = await turn.score([candidate], rows)
                await turn.keep(scored)


def _fault(engine: Engine, prompt: str) -> str:
    """What keeps a prompt from being used, one sentence; these optimizers know neither slots nor limits."""
    if fault := engine.task.slot_fault(prompt):
        return fault
    limit, words = engine.task.word_limit, count_words(prompt)
    if limit is not None and words > limit:
        return _("Its prompt has {words} words, but {word_limit} are allowed.", words=words, word_limit=limit)
    return ""


def _task(engine: Engine, parameters: Any, optimizer: str) -> dict[str, Any]:
    """What the child process works on."""
    return {
        "optimizer": optimizer,
        "prompt": engine.task.prompt,
        "parameters": msgspec.to_builtins(parameters),
        "train": _rows(engine.rows.train),
        "eval": _rows(engine.rows.eval),
        "seed": engine.task.seed,
        "threads": _THREADS,
    }


def _rows(rows: RowSet) -> list[dict[str, Any]]:
    return [
        {
            "split": rows.split,
            "position": position,
            "question": shown_input(rows.row(position)),
            "answer": next(iter(rows.row(position).references), ""),
        }
        for position in rows.positions
    ]


def _method(
    name: str,
    summary: str,
    source: str,
    package: Package,
    parameters: type[msgspec.Struct],
    rounds: Callable[[Any], int],
    calls: Callable[[Any, int, int], Calls],
) -> Method:
    return Method(
        optimize=lambda engine, given: optimize(engine, given, name),
        summary=summary,
        source=source,
        parameters=parameters,
        scores=True,
        rounds=lambda given, _rows: 1 + rounds(given),
        calls=calls,
        edits=lambda _: True,
        asks=lambda _: ("optimizer", "executor"),
        notes=(Note("instruction", "instruct"),),
        package=package,
    )


def _of_mipro(given: Mipro, train: int, rows: int) -> Calls:
    sets = given.candidates * min(train, 2 * given.demos)
    proposals = given.candidates + 3
    answers = rows * (1 + given.trials) + sets
    return Calls(proposals=proposals, notes=0, answers=answers, steps=given.trials)


def _of_copro(given: Copro, _train: int, rows: int) -> Calls:
    prompts = given.breadth * given.depth
    return Calls(proposals=prompts, notes=0, answers=rows * (1 + prompts), steps=prompts)


def _of_gepa(given: Gepa, _train: int, rows: int) -> Calls:
    steps = max(1, (given.metric_calls - rows) // (2 * given.minibatch + rows // 2))
    return Calls(proposals=steps, notes=0, answers=max(rows, given.metric_calls), steps=steps)


MIPROV2 = _method(
    "dspy-miprov2",
    N_("DSPy's MIPROv2: instructions and demonstrations, combined by a Bayesian search."),
    "Opsahl-Ong et al., arXiv 2406.11695, as DSPy has it",
    _DSPY,
    Mipro,
    lambda given: 2 * given.trials + 2,
    _of_mipro,
)
COPRO = _method(
    "dspy-copro",
    N_("DSPy's COPRO: new instructions from the best ones so far, depth by depth."),
    "Khattab et al., arXiv 2310.03714, as DSPy has it",
    _DSPY,
    Copro,
    lambda given: given.breadth * (given.depth + 1),
    _of_copro,
)
DSPY_GEPA = _method(
    "dspy-gepa",
    N_("DSPy's GEPA: reflects on train rows, and keeps a front of prompts."),
    "Agrawal et al., arXiv 2507.19457, as DSPy runs it",
    _DSPY,
    Gepa,
    lambda given: 10 + given.metric_calls // 10,
    _of_gepa,
)
GEPA_ENGINE = _method(
    "gepa-engine",
    N_("The engine of the gepa package, without DSPy."),
    "Agrawal et al., arXiv 2507.19457, as its authors run it",
    _GEPA,
    Gepa,
    lambda given: 10 + given.metric_calls // 10,
    _of_gepa,
)
