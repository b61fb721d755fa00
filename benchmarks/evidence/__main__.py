"""The command; see the package."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import evidence
from benchmarks.evidence.report import report
from benchmarks.evidence.runs import Place, Result, probe, run, test
from benchmarks.evidence.shared_replies import Replies, SharingLauncher
from benchmarks.evidence.tasks import CANDIDATES, ENTRANTS, SEEDS, TASKS


def main() -> None:
    """Run what is missing, and write what there is."""
    parser = argparse.ArgumentParser(description=(evidence.__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", type=Path, help="a folder of JSONL files")
    parser.add_argument("--work", type=Path, default=Path("evidence"), help="where runs are kept")
    out = Path(__file__).parents[2] / "docs" / "evidence.md"
    parser.add_argument("--out", type=Path, default=out, help="the file written")
    parser.add_argument("--tasks", nargs="*", choices=[*CANDIDATES], help="these, whatever their headroom")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--headroom", action="store_true", help="only measure which tasks have headroom")
    arguments = parser.parse_args()
    rows, work = arguments.rows.resolve(), arguments.work.resolve()
    launcher = SharingLauncher(Replies(work / "replies.jsonl"))
    if arguments.headroom:
        asyncio.run(_choose(launcher, rows, work, arguments.tasks or CANDIDATES))
        return
    results = asyncio.run(_collect(launcher, rows, work, arguments.tasks, arguments.seeds))
    arguments.out.write_text(report(results), encoding="utf-8")
    sys.stdout.write(f"{arguments.out} is written.\n")


async def _choose(launcher: SharingLauncher, rows: Path, work: Path, tasks: Iterable[str]) -> list[str]:
    """Show the headroom of tasks, and name those whose best probe gains most."""
    gains: dict[str, float] = {}
    sys.stdout.write("| task | seed's score | best probe | gain | rows | headroom |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for task in tasks:
        found = await probe(launcher, Place(rows, work, task, 0))
        best = found.probes[0]
        gains[task] = best.gain
        sys.stdout.write(
            f"| {task} | {found.score or 0:.3f} | {best.name} | {best.gain:+.3f} | {best.rows} | "
            f"{'yes' if found.found else 'no'} |\n"
        )
        sys.stdout.flush()
    return sorted(gains, key=lambda task: -gains[task])[:TASKS]


async def _collect(
    launcher: SharingLauncher, rows: Path, work: Path, tasks: Sequence[str], seeds: Sequence[int]
) -> list[Result]:
    tasks = tasks or await _choose(launcher, rows, work, CANDIDATES)
    results: list[Result] = []
    for seed in seeds:
        for task in tasks:
            place = Place(rows, work, task, seed)
            for entrant in ENTRANTS:
                await run(launcher, place, entrant)
            results += await test(launcher, place)
    return results


if __name__ == "__main__":
    main()
