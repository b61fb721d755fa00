"""A thousand kills: `python -m benchmarks.kills` prints what runs buy twice that are killed again and again.

Each command is a separate process, killed with SIGKILL after a random time; the same command, or `resume`,
starts the next one, until one ends by itself. The server is a separate process, too, and logs every request.
`--record FILE` keeps each run that was measured, and a later call continues from there.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from spotui.cli import exit_codes
from spotui.domain.records import CallKey, CallLine, DroppedLine, SentLine
from spotui.workspace.journal_reader import read_lines
from tests.command_line import places
from tests.fork_server import ForkServer
from tests.model_server import ModelServerProcess, conversation
from tests.row_model import rows, template

KILLS = 1000
AT_ONCE = 3
LIVES_PER_SERVER = 6
MOST_COMMANDS = 60
"""A life that has not ended after so many commands is left alone to the end."""

ROWS = 40
BUDGET = {
    "spo": (65, 160),
    "gpo": (60, 140),
    "gradsum": (60, 140),
    "gepa": (60, 140),
    "fewshot": (60, 140),
    "race": (30, 60),
    "score": (ROWS, ROWS),
}
"""The fewest and the most calls of a budget: some lives end as planned, others because it is spent. Each has
some left for rounds above what is kept back for the test."""

SECONDS = {
    "spo": 0.6,
    "gpo": 0.8,
    "gradsum": 0.8,
    "gepa": 0.8,
    "fewshot": 0.8,
    "race": 1.6,
    "score": 0.5,
}
"""The longest that a command lives before it is killed, or longer where nothing came of the one before."""

_METHODS = {
    "spo": ("--method", "spo", "--max-rounds", "4"),
    "gpo": ("--method", "gpo", "--set", "max_steps=3", "--set", "candidates_per_step=2"),
    "gradsum": ("--method", "gradsum", "--max-rounds", "3"),
    "gepa": ("--method", "gepa", "--set", "iterations=3", "--set", "minibatch_rows=3"),
    "fewshot": ("--method", "fewshot", "--max-rounds", "3"),
}
_ENDS = {exit_codes.OK, exit_codes.NO_IMPROVEMENT, exit_codes.BUDGET}


class Life(msgspec.Struct):
    """A run from its beginning to its end, with every kill in between.

    Attributes:
        kind: A method, `race` or `score`.
        kills: Commands that were killed.
        requests: What the server received.
        calls: Calls that the journals hold.
        in_flight: Requests without a reply in a journal, most of them in flight at a kill.
        again: Requests for a call that a journal held when their command began, or that it holds twice.
        over: Requests beyond the budget.
        unannounced: Requests that no journal announced before they were sent.
        lost: Calls that a journal held before a kill and not after it.
        code: The exit code of the last command.
    """

    kind: str
    kills: int = 0
    requests: int = 0
    calls: int = 0
    in_flight: int = 0
    again: int = 0
    over: int = 0
    unannounced: int = 0
    lost: int = 0
    code: int | None = None

    @property
    def is_sound(self) -> bool:
        is_clean = not (self.again or self.over or self.unannounced or self.lost)
        return is_clean and self.requests > 0 and self.code in _ENDS


class Journals(NamedTuple):
    """What the journals of a life hold.

    Attributes:
        calls: How often each conversation is there with its reply.
        twice: Calls that are there more than once.
        sent: Requests that were announced.
        open: Those of them whose key never got a reply.
    """

    calls: Counter[str]
    twice: int
    sent: int
    open: int


class Server:
    """The model server, and what it received from each life.

    Args:
        process: The server.
        log: Its log.
    """

    def __init__(self, process: ModelServerProcess, log: Path) -> None:
        self.base_url = process.base_url
        self._log = log

    def received(self, model: str) -> Counter[str]:
        """How often it received each conversation with this model, everything sent until now included."""
        # It reads in the order of what comes: nothing of a dead process is still to be read after this.
        httpx.get(f"{self.base_url}/models", trust_env=False, timeout=60.0)
        wanted = json.dumps({"model": model})[1:-1].encode()
        found: Counter[str] = Counter()
        with self._log.open("rb") as file:
            for line in file:
                if wanted in line and (entry := json.loads(line))["event"] == "received":
                    found[_short(conversation(entry["json"]))] += 1
        return found


def main() -> None:
    """Live until there were enough kills, and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--record", type=Path, help="a file for every life; an interrupted call continues it")
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    ForkServer()
    lives = list(_recorded(parsed.record))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        while (killed := sum(one.kills for one in lives)) < parsed.kills:
            more = _batch(Path(scratch, str(len(lives))), len(lives), parsed.seed)
            lives += more
            if parsed.record is not None:
                with parsed.record.open("ab") as file:
                    file.writelines(msgspec.json.encode(one) + b"\n" for one in more)
            print(f"  {killed + sum(one.kills for one in more)} kills", file=sys.stderr, flush=True)
    _report(lives, time.monotonic() - began)
    sys.exit(0 if all(one.is_sound for one in lives) else 1)


def _recorded(record: Path | None) -> Iterator[Life]:
    if record is not None and record.exists():
        for line in record.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=Life)


def _batch(folder: Path, first: int, seed: int) -> list[Life]:
    """So many lives against one server."""
    folder.mkdir()
    log = folder / "requests.jsonl"
    arguments = ("--delay", "0.01", "--pause", "0.002", "--chunks", "4", "--reply", "tests.row_model:racing")
    with ModelServerProcess(log, *arguments) as process, ThreadPoolExecutor(AT_ONCE) as together:
        server = Server(process, log)
        numbers = range(first, first + LIVES_PER_SERVER)
        return list(together.map(lambda number: live(folder, number, server, seed), numbers))


def live(folder: Path, number: int, server: Server, seed: int) -> Life:
    """Begin, kill and continue one run until it ends by itself."""
    chance = random.Random(f"{seed}-{number}")
    kind = list(BUDGET)[number % len(BUDGET)]
    model = f"life-{number}"
    home = folder / model
    home.mkdir()
    (home / "sums.yaml").write_text(template())
    (home / "rows.jsonl").write_text(rows(ROWS))
    budget = chance.randint(*BUDGET[kind])
    env = places(home, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)
    life = Life(kind)
    kept: Counter[str] = Counter()
    before: list[tuple[Counter[str], Counter[str]]] = []  # received and kept when each command began
    longest = SECONDS[kind]
    while life.code is None:
        before.append((server.received(model), kept))
        command = [sys.executable, "-m", "spotui", *_words(home, kind, model, budget)]
        with (home / "log.txt").open("ab") as log:
            child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        is_killed = False
        if len(before) <= MOST_COMMANDS:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(chance.uniform(0.0, longest))
            is_killed = child.poll() is None
            child.kill()
        code = child.wait()
        life.code = code if code >= 0 else None
        if life.code is None and not is_killed:
            raise SystemExit(f"a command of {model} died by itself: {(home / 'log.txt').read_text()[-2000:]}")
        life.kills += life.code is None
        now = _journals(home).calls
        life.lost += (kept - now).total()
        longest = SECONDS[kind] if now.total() > kept.total() else longest * 1.3  # the machine may be slow
        kept = now
    _judge(life, home, before, server.received(model), budget)
    if not life.is_sound:
        print(f"{model}: {life}\n{(home / 'log.txt').read_text()[-2000:]}", file=sys.stderr, flush=True)
    return life


def _words(home: Path, kind: str, model: str, budget: int) -> tuple[str, ...]:
    """The command that begins or continues a life."""
    path = str(home / "sums.yaml")
    asked = ("--model", model, "--budget-calls", str(budget), "--yes")
    if kind == "score":
        return ("score", path, "--split", "train", *asked)
    if kind == "race":
        return ("race", path, *asked, "--max-rounds", "3", "--set", "gpo.max_steps=3")
    if (home / "data" / "workspace" / "sums" / "journal.jsonl").exists():
        return ("resume", "sums")
    return ("run", path, *_METHODS[kind], *asked)


def _judge(
    life: Life,
    home: Path,
    before: list[tuple[Counter[str], Counter[str]]],
    received: Counter[str],
    budget: int,
) -> None:
    """Compare what the server received with what the journals hold."""
    end = _journals(home)
    life.requests, life.calls = received.total(), end.calls.total()
    life.in_flight = life.requests - life.calls
    life.unannounced = max(0, life.requests - end.sent)
    again, starts = 0, [*(one for one, _ in before[1:]), received]
    for (at_start, kept), at_end in zip(before, starts, strict=True):
        for text, times in (at_end - at_start).items():
            if end.calls[text]:  # of others, none was ever completed
                again += max(0, times - (end.calls[text] - kept[text]))
    life.again = end.twice + max(0, again - end.open)
    if life.kind == "race":  # each method has the budget, and the test of the race has none
        tested = _journals(home / "data" / "workspace" / ".scores" / "sums-race").sent
        life.over = max(0, life.requests - len(_METHODS) * budget - tested)
    elif life.kind == "score":  # each command has the budget
        commands = zip((one for one, _ in before), starts, strict=True)
        life.over = sum(max(0, (end - start).total() - budget) for start, end in commands)
    else:
        life.over = max(0, life.requests - budget)


def _journals(folder: Path) -> Journals:
    calls: Counter[str] = Counter()
    ended: set[tuple[Path, CallKey, str]] = set()
    replied: set[tuple[Path, CallKey]] = set()
    sent: list[tuple[Path, CallKey]] = []
    twice = 0
    for path in folder.rglob("journal.jsonl"):
        if not path.stat().st_size:
            continue
        for line in read_lines(path, SentLine, CallLine, DroppedLine):
            match line:
                case SentLine():
                    sent.append((path, line.key))
                case CallLine():
                    twice += (path, line.key, line.digest) in ended
                    ended.add((path, line.key, line.digest))
                    replied.add((path, line.key))
                    calls[_short(conversation(json.loads(bytes(line.request))))] += 1
                case _:
                    pass
    return Journals(calls, twice, len(sent), sum(one not in replied for one in sent))


def _short(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _report(lives: list[Life], seconds: float) -> None:
    names = ("kills", "requests", "calls", "in_flight", "again", "over", "unannounced", "lost")
    print(f"{os.cpu_count()} cores, {AT_ONCE} lives at once, {seconds:.0f} s in this call")
    print(f"{'':8}  {'runs':>6}" + "".join(f"  {name.replace('_', ' '):>11}" for name in names))
    for kind in (*BUDGET, "all"):
        chosen = [one for one in lives if kind in {one.kind, "all"}]
        figures = (sum(getattr(one, name) for one in chosen) for name in names)
        print(f"{kind:8}  {len(chosen):>6}" + "".join(f"  {figure:>11,}" for figure in figures))
    for one in lives:
        if not one.is_sound:
            print(f"not sound: {one}")


if __name__ == "__main__":
    main()
