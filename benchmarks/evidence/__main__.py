"""The command; see the package."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import evidence
from benchmarks.evidence.report import report
from benchmarks.evidence.results import keep, of_models, read_results
from benchmarks.evidence.runs import Found, Place, probe, run, test
from benchmarks.evidence.shared_replies import Replies, SharingLauncher
from benchmarks.evidence.tasks import CANDIDATES, ENTRANTS, PROBES, SEED_PROMPT, SEEDS, TASKS, Entrant, Models


def main() -> None:
    """Run what is missing, and write what there is."""
    parser = argparse.ArgumentParser(description=(evidence.__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", type=Path, help="a folder of JSONL files")
    parser.add_argument("--work", type=Path, default=Path("evidence"), help="where runs are kept")
    out = Path(__file__).parents[2] / "docs" / "evidence.md"
    parser.add_argument("--out", type=Path, default=out, help="the file written")
    parser.add_argument("--executor", default=Models().executor, help="the model that answers")
    parser.add_argument("--writer", default=Models().writer, help="the model that proposes and judges")
    parser.add_argument("--grammar", action="store_true", help="bind a server's replies to grammars")
    parser.add_argument("--tasks", nargs="*", choices=[*CANDIDATES], help="these, whatever their headroom")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--methods", nargs="*", choices=[one.name for one in ENTRANTS], help="these alone")
    parser.add_argument("--at-once", type=int, default=1, help="methods that run at the same time")
    parser.add_argument("--headroom", action="store_true", help="only measure which tasks have headroom")
    arguments = parser.parse_args()
    rows, work = arguments.rows.resolve(), arguments.work.resolve()
    embedded = arguments.executor.startswith("local/")
    models = Models(arguments.executor, arguments.writer, arguments.grammar or embedded)
    launcher = SharingLauncher(Replies(work / "replies.jsonl"))
    measurement = Measurement(launcher, rows, work, models, arguments.at_once)
    if arguments.headroom:
        asyncio.run(measurement.choose(arguments.tasks or CANDIDATES))
        return
    entrants = [one for one in ENTRANTS if one.name in (arguments.methods or [one.name])]
    asyncio.run(measurement.complete(arguments.tasks, arguments.seeds, entrants))
    arguments.out.write_text(report(read_results()), encoding="utf-8")
    sys.stdout.write(f"{arguments.out} is written.\n")


class Measurement:
    """What one call of the command does.

    Args:
        launcher: Starts the runs.
        rows: The folder of rows.
        work: Where runs are kept.
        models: The models of all of them.
        at_once: Methods that run at the same time.
    """

    def __init__(
        self, launcher: SharingLauncher, rows: Path, work: Path, models: Models, at_once: int
    ) -> None:
        self._launcher = launcher
        self._rows, self._work, self._models = rows, work, models
        self._running = asyncio.Semaphore(at_once)
        self._testing = asyncio.Lock()

    async def choose(self, tasks: Iterable[str]) -> list[str]:
        """Show the headroom of tasks, and name those whose best probe gains most."""
        gains: dict[str, float] = {}
        sys.stdout.write("| task | seed's score | best probe | gain | rows | headroom |\n")
        sys.stdout.write("|---|---|---|---|---|---|\n")
        for task in tasks:
            found = await probe(self._launcher, self._place(task, 0))
            best = found.probes[0]
            gains[task] = best.gain
            sys.stdout.write(
                f"| {task} | {found.score or 0:.3f} | {best.name} | {best.gain:+.3f} | {best.rows} | "
                f"{'yes' if found.found else 'no'} |\n"
            )
            sys.stdout.flush()
        return sorted(gains, key=lambda task: -gains[task])[:TASKS]

    async def complete(self, tasks: Sequence[str], seeds: Sequence[int], entrants: Sequence[Entrant]) -> None:
        """Run and test what has no result yet."""
        for task in tasks or await self.choose(CANDIDATES):
            for seed in seeds:
                place = self._place(task, seed)
                known = of_models(read_results(), self._models)
                tested = {one.name for one in known if (one.task, one.seed) == (task, seed)}
                if PROBES not in tested:
                    await self._probe(place)
                async with asyncio.TaskGroup() as group:
                    for entrant in entrants:
                        if entrant.name not in tested:
                            group.create_task(self._run(place, entrant))

    def _place(self, task: str, seed: int) -> Place:
        return Place(self._rows, self._work, self._models, task, seed)

    async def _probe(self, place: Place) -> None:
        headroom = await probe(self._launcher, place)
        prompt = headroom.winners[0].prompt if headroom.winners else SEED_PROMPT
        await self._test(place, PROBES, Found(headroom.planned, prompt))

    async def _run(self, place: Place, entrant: Entrant) -> None:
        async with self._running:
            found = await run(self._launcher, place, entrant)
        if found is not None:
            await self._test(place, entrant.name, found)

    async def _test(self, place: Place, name: str, found: Found) -> None:
        async with self._testing:
            keep(await test(self._launcher, place, name, found))


if __name__ == "__main__":
    main()
