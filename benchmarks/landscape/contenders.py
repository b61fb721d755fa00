"""Who searches: our methods, with and without racing, and random search."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from spotui.engine import Engine
from spotui.engine.meta_prompts import MetaPrompt
from spotui.methods import METHODS, load_method
from spotui.methods.method import Method


class Contender(NamedTuple):
    """One method as it is set up.

    Attributes:
        name: In the tables.
        method: The method's name.
        parameters: Those that are not its defaults.
        settings: Of the run, those that are not the defaults.
        is_long: Whether its run is as long as the method's standard one without racing.
        is_granted: Whether it has a budget of its calls, so that it may spend what racing saves.
    """

    name: str
    method: str
    parameters: Mapping[str, Any] = {}
    settings: Mapping[str, Any] = {}
    is_long: bool = False
    is_granted: bool = False

    @property
    def is_there(self) -> bool:
        """Whether this version of spotui has the method."""
        return self.method in METHODS or self.method == RANDOM


RANDOM: Final = "random"
STANDARD_CALLS: Final = 48 + 18 * (8 + 8 * 48)
"""What GPO's standard run takes without racing: the seed, and 18 steps of 8 candidates on 48 rows."""

_LONG: Final = {"max_steps": 40}
"""Steps for a run that its calls end."""

_SHORT: Final = {"max_steps": 7}
"""Steps that 3,000 calls pay for without racing: what it saves is left over, or goes to more candidates."""

_ROUNDS: Final = {"iterations": 1000}
"""The same in rounds."""

CONTENDERS: Final = (
    Contender("gpo, every row", "gpo", _LONG, {"racing": "none"}, is_long=True),
    Contender("gpo, halving", "gpo", _LONG, {"racing": "halving"}, is_long=True),
    Contender("gpo, paired", "gpo", _LONG, {"racing": "paired"}, is_long=True),
    Contender("7 steps, every row", "gpo", _SHORT, {"racing": "none"}),
    Contender("7 steps, paired", "gpo", _SHORT, {"racing": "paired"}),
    Contender("7 steps, more tried", "gpo", _SHORT, {"racing": "paired"}, is_granted=True),
    Contender("opro, every row", "opro", _LONG, {"racing": "none"}),
    Contender("opro, paired", "opro", _LONG, {"racing": "paired"}),
    Contender("gradsum, every row", "gradsum", _ROUNDS, {"racing": "none"}),
    Contender("gradsum, paired", "gradsum", _ROUNDS, {"racing": "paired"}),
    Contender("gepa, every row", "gepa", {"iterations": 1000}, {"racing": "none"}),
    Contender("gepa, paired", "gepa", {"iterations": 1000}, {"racing": "paired"}),
    Contender("gepa, tolerance 1", "gepa", {"iterations": 1000, "gate_tolerance": 1}, {"racing": "paired"}),
    Contender("fewshot, every row", "fewshot", {"iterations": 100}, {"racing": "none"}),
    Contender("fewshot, paired", "fewshot", {"iterations": 100}, {"racing": "paired"}),
    Contender("spo, paper", "spo", {"feedback": "none"}),
    Contender("spo", "spo"),
    Contender("spo, width 3", "spo", {"width": 3}),
    Contender("spo, width 2", "spo", {"width": 2}),
    Contender("spo, width 4", "spo", {"width": 4}),
    Contender("spo, width 8", "spo", {"width": 8}),
    Contender("random, every row", RANDOM, {}, {"racing": "none"}),
    Contender("random, paired", RANDOM, {}, {"racing": "paired"}),
)


class _Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    candidates_per_step: Annotated[int, Meta(ge=1)] = 8


async def _search(engine: Engine, parameters: _Parameters) -> None:
    """Propose from the seed alone, and keep what scores best."""
    async with engine.round(1) as turn:
        (seed,) = await turn.score([engine.seed], engine.rows.eval)
        await turn.keep(seed)
    meta = engine.meta["random_propose"].render(current=engine.task.prompt)
    for number in engine.rounds():
        async with engine.round(number) as turn:
            count = parameters.candidates_per_step
            candidates = await turn.propose_several([meta] * count, [engine.seed] * count)
            scored = await turn.race(candidates, engine.rows.eval, keep=1)
            whole = [one for one in scored if one.is_whole]
            if whole:
                await turn.keep(max(whole, key=lambda one: one.score.mean))


@cache
def method_of(name: str) -> Method:
    """The method of that name, random search included."""
    if name != RANDOM:
        return load_method(name)
    text = "<current_prompt>\n{current}\n</current_prompt>\n\n<prompt>...</prompt>"
    meta = MetaPrompt("random_propose", text, {"current": "the seed prompt"})
    return Method(
        optimize=_search,
        summary="Edits of the seed prompt alone.",
        parameters=_Parameters,
        scores=True,
        rounds=lambda _parameters, _rows: 10_000,
        meta_prompts=(meta,),
    )
