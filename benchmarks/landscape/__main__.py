"""Search methods on planted landscapes: `python -m benchmarks.landscape` prints true gain against calls.

Every method searches the same worlds, with the real engine and the same optimizer. It is known what each
prompt is truly worth, so a gain here has no noise of its own; intervals are over worlds (95%, bootstrap). It
measures search, not language: no prompt means anything, and no optimizer learns from reading.

Runs that ended are kept in a file, and are not run again when the command is started again. With the package
`gepa` installed, GEPA's own engine searches the same worlds.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Final, NamedTuple

import msgspec

from benchmarks.landscape import offline, peer
from benchmarks.landscape.contenders import CONTENDERS, STANDARD_CALLS, Contender, method_of
from benchmarks.landscape.offline import EVAL, TRAIN, Point
from benchmarks.landscape.world import World
from spotui.domain.version import VERSION

PEER: Final = "gepa's own engine"
BASE, RACED = "gpo, every row", ("gpo, paired", "gpo, halving")
CALLS: Final = (300, 1000, 3000)
RESAMPLES: Final = 1000


class Ended(msgspec.Struct, frozen=True):
    """A run that ended, as the file keeps it."""

    version: str
    name: str
    world: int
    quality: float
    calls: int
    points: list[Point]

    @property
    def key(self) -> tuple[str, str, int, float, int]:
        """What makes it the run that it is."""
        return self.version, self.name, self.world, self.quality, self.calls

    def gain(self, calls: int) -> float:
        """The true gain of the best prompt after so many calls, in points of 100."""
        values = [one.value for one in self.points if one.calls <= calls]
        return 100 * (values[-1] - values[0])


class Searcher(NamedTuple):
    """Somebody who searches: a name, the calls of a run, and the search."""

    name: str
    calls: int
    search: Callable[[World], list[Point]]


class Estimate(NamedTuple):
    """A mean over worlds with its interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.landscape",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--worlds", type=_count, default=200, help="worlds to search (default: 200)")
    parser.add_argument(
        "--quality",
        type=_share,
        default=0.3,
        help="share of the optimizer's edits that are well chosen, the others are random (default: 0.3)",
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=[], help="searchers, by the beginning of their names"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(tempfile.gettempdir(), "spotui-landscape.jsonl"),
        help="the file of the runs that ended (default: %(default)s)",
    )
    options = parser.parse_args()
    chosen = [
        one
        for one in searchers(options.quality)
        if not options.only or any(one.name.startswith(name) for name in options.only)
    ]
    if not chosen:
        names = ", ".join(one.name for one in searchers(options.quality))
        parser.error(f"--only matches no searcher. There are: {names}.")
    try:
        ended = search(chosen, options.worlds, options.quality, options.out)
    except OSError as error:
        parser.error(f"{options.out} cannot be used: {error.strerror}. Give another file with --out.")
    report(ended, options.worlds, options.quality)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 2 or more")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return share


def searchers(quality: float) -> list[Searcher]:
    """All that this machine has; the lines of those that are missing are printed by the report."""
    found = [
        Searcher(one.name, STANDARD_CALLS if one.is_long else max(CALLS), partial(_climb, one, quality))
        for one in CONTENDERS
        if one.is_there
    ]
    if peer.installed():
        search = partial(peer.run, calls=max(CALLS), quality=quality)
        found.append(Searcher(PEER, max(CALLS), search))
    return found


def _climb(one: Contender, quality: float, world: World) -> list[Point]:
    calls = STANDARD_CALLS if one.is_long else max(CALLS)
    parameters, settings = dict(one.parameters), dict(one.settings)
    return offline.run(
        world,
        method_of(one.method),
        parameters,
        settings,
        calls=calls,
        quality=quality,
        is_granted=one.is_granted,
    )


def search(chosen: Sequence[Searcher], worlds: int, quality: float, out: Path) -> dict[str, list[Ended]]:
    """The runs of some searchers, by their names and in the order of the worlds; those that ended are read.

    Raises:
        OSError: The file cannot be read or written.
    """
    known = {one.key: one for one in _read(out)}
    found: dict[str, list[Ended]] = {one.name: [] for one in chosen}
    with out.open("ab") as file:
        if file.tell():
            file.write(b"\n")  # ends a line that was cut off
        for number in range(worlds):
            for one in chosen:
                version = peer.installed() if one.name == PEER else VERSION
                key = version, one.name, number, quality, one.calls
                run = known.get(key)
                if run is None:
                    run = Ended(version, one.name, number, quality, one.calls, one.search(World(number)))
                    file.write(msgspec.json.encode(run) + b"\n")
                    file.flush()
                found[one.name].append(run)
            if sys.stderr.isatty():
                print(f"\r{number + 1} of {worlds} worlds", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return found


def _read(path: Path) -> list[Ended]:
    """The runs in a file; a line that was cut off is run again."""
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=Ended))
        except msgspec.DecodeError:
            continue
    return found


def report(ended: dict[str, list[Ended]], worlds: int, quality: float) -> None:
    """Print what came out, whatever it is."""
    print(
        f"{worlds} worlds, {TRAIN} train and {EVAL} eval rows; {quality:.0%} of the optimizer's edits are "
        "well chosen, the others random.\n"
        "Gains are true gains in points of 100, with 95% intervals over worlds.\n"
        "It measures search, not language: see benchmarks/landscape/world.py."
    )
    print(f"\n{'true gain after':24}" + "".join(f"{f'{calls:,} calls':>26}" for calls in CALLS))
    for name, runs in ended.items():
        cells = (str(_estimate([run.gain(calls) for run in runs])) for calls in CALLS)
        print(f"{name:24}" + "".join(f"{cell:>26}" for cell in cells))
    missing = {one.method for one in CONTENDERS if not one.is_there}
    for method in sorted(missing):
        print(f"{method}: this version of spotui does not have it.")
    if not peer.installed():
        print(f"{PEER}: skipped, as the package gepa is not installed (pip install gepa).")
    if PEER in ended:
        _report_differences(ended)
    if BASE in ended and any(one in ended for one in RACED):
        _report_racing(ended)


def _report_differences(ended: dict[str, list[Ended]]) -> None:
    print(f"\n{'ahead of it by':24}" + "".join(f"{f'{calls:,} calls':>26}" for calls in CALLS))
    for name, runs in ended.items():
        if name != PEER:
            pairs = list(zip(runs, ended[PEER], strict=True))
            cells = (str(_estimate([a.gain(calls) - b.gain(calls) for a, b in pairs])) for calls in CALLS)
            print(f"{name:24}" + "".join(f"{cell:>26}" for cell in cells))


def _report_racing(ended: dict[str, list[Ended]]) -> None:
    targets = (1000, 3000, STANDARD_CALLS)
    head = "".join(f"{f'{calls:,} calls':>26}" for calls in targets)
    print(f"\n{'calls for the same gain,':24}\n{'relative to ' + BASE:24}{head}")
    for name in RACED:
        if name in ended:
            cells = (_in_words(_relative(ended[BASE], ended[name], calls)) for calls in targets)
            print(f"{name:24}" + "".join(f"{cell:>26}" for cell in cells))


def _in_words(found: Estimate | None) -> str:
    return "not reached" if found is None else f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


def _relative(base: Sequence[Ended], raced: Sequence[Ended], calls: int) -> Estimate | None:
    """Calls after which the mean gain is that of others after some calls, relative to theirs."""
    # Gains on a grid of calls: worlds are drawn again many times, and the points are the same in each draw.
    grid = range(50, STANDARD_CALLS + 1, 50)
    wanted = [run.gain(calls) for run in base]
    gains = [[run.gain(at) for at in grid] for run in raced]

    def ratio(chosen: Sequence[int]) -> float | None:
        goal = fmean(wanted[world] for world in chosen)
        reached = (at for n, at in enumerate(grid) if fmean(gains[world][n] for world in chosen) >= goal)
        at = next(reached, None)
        return None if at is None else at / calls

    everyone = range(len(base))
    mean = ratio(everyone)
    rng = random.Random(0)
    drawn = sorted(
        one
        for _ in range(RESAMPLES // 5)
        if (one := ratio(rng.choices(everyone, k=len(everyone)))) is not None
    )
    if mean is None or not drawn:
        return None
    return Estimate(mean, drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn))])


def _estimate(values: Sequence[float]) -> Estimate:
    rng = random.Random(0)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    outside = int(0.025 * RESAMPLES)
    return Estimate(fmean(values), means[outside], means[-1 - outside])


if __name__ == "__main__":
    main()
