"""How often `spotui headroom` is right: `python -m benchmarks.headroom`, on planted landscapes.

Three kinds of worlds (see benchmarks/landscape/world.py): in `no difference` every prompt is truly worth what
the seed is worth, and only chance tells their marks apart; in `none` no sentence helps and some hurt; in
`headroom` some sentences help, whether or not a probe holds one. The real probes, plan and decision measure
each world in memory; a proposal is the world's. It measures the decision, not language.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Final, NamedTuple

import msgspec

from benchmarks.landscape.offline import EVAL, TRAIN, WorldAsker, WorldMarker
from benchmarks.landscape.world import SEED_PROMPT, Models, World
from spotui.domain.calls import Reply, Request
from spotui.domain.records import CallKey
from spotui.domain.statistics import wilson
from spotui.engine.context import Context, Decisions
from spotui.engine.meta_prompts import MetaPrompts
from spotui.llm.limits import Gate
from spotui.llm.protocol import digest_of
from spotui.runs.headroom.plan import USUAL_CALLS
from spotui.runs.headroom.rows import RowProbes
from spotui.runs.launch import Launcher
from spotui.runs.prepare import Prepared
from spotui.settings.resolve import Flags
from spotui.settings.table import Role
from spotui.workspace.headroom_file import Headroom

WORTH: Final = (0.05, 0.10)
"""True gains that are worth having."""


class Kind(NamedTuple):
    """Worlds of one kind: with headroom or without, and what effects are multiplied with."""

    name: str
    headroom: bool
    spread: float


KINDS: Final = (Kind("no difference", False, 0.0), Kind("none", False, 1.0), Kind("headroom", True, 1.0))


class Asker(WorldAsker):
    """Asks the world; as in a journal, a reply is found by its key and by what was asked."""

    def recorded(self, key: CallKey, request: Request) -> Reply | None:
        """What was answered before."""
        return super().recorded(_filed(key, request), request)

    async def ask(
        self,
        key: CallKey,
        request: Request,
        role: Role | None = None,
        *,
        may_be_refused: bool = False,
        advice: str = "",
    ) -> Reply:
        """The world's reply; the same question under the same key is answered once."""
        filed = _filed(key, request)
        return await super().ask(filed, request, role, may_be_refused=may_be_refused, advice=advice)


def _filed(key: CallKey, request: Request) -> CallKey:
    return msgspec.structs.replace(key, purpose=f"{key.purpose}/{digest_of(request)}")


def prepare() -> Prepared:
    """A template of a world, without its rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.jsonl")
        rows.write_text("".join(f'{{"question": "Row {n}.", "answer": "red"}}\n' for n in range(30)))
        template = Path(folder, "world.yaml")
        template.write_text(
            f"prompt: {SEED_PROMPT}\nrequirements: The colour of the row.\ndata: rows.jsonl\nmetric: exact\n"
        )
        return Launcher({}).prepare(template, Flags(), purpose="headroom")


def measure(prepared: Prepared, world: World, quality: float, calls: int) -> tuple[Headroom, int]:
    """Measure the headroom of a world; also, how many calls that took."""
    budget = msgspec.structs.replace(prepared.settings.budget, calls=calls)
    settings = msgspec.structs.replace(prepared.settings, seed=world.number, budget=budget)
    prepared = msgspec.structs.replace(prepared, rows=world.dataset(TRAIN, EVAL), settings=settings)
    asker = Asker(Models(world, quality=quality), settings.roles, calls)
    context = Context(prepared.task, MetaPrompts(), asker, Gate(), Decisions(), lambda _: None)
    found = asyncio.run(RowProbes(prepared, context, WorldMarker()).measure())
    return found, asker.calls


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.headroom", description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--calls", type=int, default=USUAL_CALLS)
    parser.add_argument("--quality", type=float, default=0.3, help="of the optimizer's two proposals")
    parsed = parser.parse_args()
    prepared = prepare()
    print(f"{parsed.worlds} worlds of each kind, at most {parsed.calls} calls\n")
    for kind in KINDS:
        _print(kind, prepared, parsed)


def _print(kind: Kind, prepared: Prepared, parsed: argparse.Namespace) -> None:
    begun, nones, most = time.perf_counter(), 0, 0
    best_gains: list[float] = []
    wrong = 0
    truly_best: list[tuple[float, bool]] = []
    for number in range(parsed.worlds):
        world = World(number, headroom=kind.headroom, spread=kind.spread)
        found, calls = measure(prepared, world, parsed.quality, parsed.calls)
        most = max(most, calls)
        seed = world.value(world.seed_prompt)
        gains = {one.name: world.value(one.prompt) - seed for one in found.probes}
        truly_best.append((max(gains.values()), found.found))
        if found.found:
            best_gains.append(gains[found.best])
        else:
            nones += 1
            wrong += kind.headroom and world.best - seed >= WORTH[0]
    share = wilson(nones, parsed.worlds)
    print(
        f"{kind.name:14} 'no headroom' in {nones} of {parsed.worlds}, {100 * nones / parsed.worlds:.1f}% "
        f"({100 * share.low:.1f} to {100 * share.high:.1f}); at most {most} calls; "
        f"{time.perf_counter() - begun:.0f} s"
    )
    if kind.headroom:
        for worth in WORTH:
            verdicts = [verdict for gain, verdict in truly_best if gain >= worth]
            rate = wilson(sum(verdicts), len(verdicts))
            print(
                f"  a probe truly gains {100 * worth:.0f} points or more in {len(verdicts)} worlds; it finds "
                f"headroom in {sum(verdicts)} of them ({100 * rate.low:.0f}% to {100 * rate.high:.0f}%)"
            )
        print(f"  a long search would gain as much in {wrong} of the {nones} worlds where it says none")
        if best_gains:
            true = sum(gain > 0 for gain in best_gains)
            print(
                f"  where it finds headroom, the best probe truly gains {100 * fmean(best_gains):+.1f} "
                f"points on average, and is truly better in {true} of {len(best_gains)}"
            )


if __name__ == "__main__":
    main()
