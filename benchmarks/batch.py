"""Runs in batches under kill -9: `python -m benchmarks.batch` prints what they buy twice, and how they end.

A run of ten rounds is killed at random moments of three kinds: while a batch is handed in, while it is waited
for, and while its replies are collected. `spotui wait` goes on, until the run ends by itself. What the server
sold, and every round, is compared with a live run that was left alone. Every family of APIs is measured, and
at last a batch of more calls than OpenAI takes at once.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.cli import exit_codes
from spotui.domain.calls import Request
from spotui.domain.messages import user
from spotui.domain.records import CallKey
from spotui.llm.batches.known import KnownBatches
from spotui.llm.batches.openai import OpenAIBatches
from spotui.llm.budget import Budget
from spotui.llm.connections import Connection, Connections
from spotui.llm.door import Door
from spotui.llm.limits import Gate, Limiter
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.retry import Retry
from spotui.llm.routing import Endpoint, Limits
from spotui.settings.table import BudgetSettings, RetrySettings
from spotui.workspace.journal import Journal
from tests.command_line import places
from tests.fork_server import ForkServer
from tests.model_server import ModelServerProcess, conversation
from tests.model_server.hosted_batches import KEY

KILLS: Final = 30
ROUNDS: Final = 10
QUESTIONS: Final = 30
CALLS: Final = 50_001
MOMENTS: Final = ("submitting", "waiting", "collecting")
FAMILIES: Final = {
    "openai": "gpt-4o-mini",
    "anthropic": "anthropic/claude-3-5-haiku-20241022",
    "mistral": "mistral/mistral-small-latest",
    "gemini": "gemini/gemini-2.5-flash",
    "xai": "xai/grok-4.3",
}

_LOOK: Final = 0.001
_LONGEST: Final = 120.0


class Life(msgspec.Struct):
    """A run in batches from its beginning to its end, with every kill in between.

    Attributes:
        family: Whose API.
        kills: How often it was killed, by moment.
        batches: Batches that were handed in.
        rows: Rows that the server sold.
        twice: Rows beyond those of the live run.
        missing: Rows of the live run that were not bought.
        differing: Rounds that differ from those of the live run.
        code: The exit code of the last command.
    """

    family: str
    kills: Counter[str] = msgspec.field(default_factory=Counter)
    batches: int = 0
    rows: int = 0
    twice: int = 0
    missing: int = 0
    differing: int = 0
    code: int | None = None

    @property
    def is_sound(self) -> bool:
        return not (self.twice or self.missing or self.differing) and self.code == exit_codes.OK


def main() -> None:
    """Measure every family, then a large batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="of each family at most")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--calls", type=int, default=CALLS, help="in the large batch; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    ForkServer()
    lives = []
    with tempfile.TemporaryDirectory() as scratch:
        for family in parsed.families if parsed.kills else ():
            lives.append(measure(Path(scratch, family), family, parsed.kills, parsed.seed))
            print(_line(lives[-1]), flush=True)
        if parsed.calls:
            print(large(Path(scratch), parsed.calls), flush=True)
    sys.exit(0 if all(one.is_sound for one in lives) else 1)


def measure(folder: Path, family: str, kills: int, seed: int) -> Life:
    """Let one run live, and compare it with a live one."""
    folder.mkdir()
    chance, life = random.Random(f"{seed}/{family}"), Life(family)
    log = folder / "requests.jsonl"
    arguments = ("--reply", "tests.spo_model:climbing", "--batch-seconds", "0.4", "--batch-taking", "0.15")
    with ModelServerProcess(log, *arguments) as server:
        env = {
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": server.base_url,
            "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": server.base_url,
        }
        for hosted in ("mistral", "gemini", "xai"):
            root = server.base_url.removesuffix("/v1")
            env |= {f"{hosted.upper()}_API_KEY": KEY, f"{hosted.upper()}_API_BASE": f"{root}/{hosted}"}
        alone, home = folder / "alone", folder / "killed"
        for one in (alone, home):
            one.mkdir()
            (one / "styles.yaml").write_text(_template())
        words = ["run", "styles.yaml", "--max-rounds", str(ROUNDS), "--sample", str(QUESTIONS)]
        _command([*words, "--model", FAMILIES["openai"]], alone, env).wait()
        live = _sold(log, "/v1/chat/completions")
        batched = [*words, "--model", FAMILIES[family], "--batch", "all"]
        while life.code is None:
            journal = home / "data" / "workspace" / "styles" / "journal.jsonl"
            child = _command(["wait", "styles"] if journal.exists() else batched, home, env)
            moment = chance.choice(MOMENTS) if life.kills.total() < kills else ""
            if moment and _await(moment, journal, child, chance):
                life.kills[moment] += 1
                child.kill()
            code = child.wait()
            life.code = code if code >= 0 else None
        sold = _sold(log, "/batches")
        life.rows, life.twice, life.missing = sold.total(), (sold - live).total(), (live - sold).total()
        life.batches = journal.read_bytes().count(b'"state":"submitted"')
        rounds = [_rounds(one) for one in (alone, home)]
        life.differing = abs(len(rounds[0]) - len(rounds[1])) + sum(map(_differ, *rounds))
    if not life.is_sound:
        print((home / "log.txt").read_text()[-3000:], file=sys.stderr)
    return life


def _template() -> str:
    rows = "".join(f"  - {{question: 'Question {n}?', answer: None}}\n" for n in range(QUESTIONS))
    return f"prompt: Answer in style 0.\nrequirements: A high style.\ncount: None\nqa:\n{rows}"


def _command(words: list[str], home: Path, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    with (home / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "spotui", *words],
            cwd=home,
            env=places(home, **env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _await(moment: str, journal: Path, child: "subprocess.Popen[bytes]", chance: random.Random) -> bool:
    """Wait for a moment of some batch, any of the next few; whether the command still lives then."""
    batches, began = chance.randrange(2), time.monotonic()
    start = journal.stat().st_size if journal.exists() else 0
    seen = 0
    while child.poll() is None and time.monotonic() - began < _LONGEST:
        time.sleep(_LOOK)
        new = _after(journal, start)
        reached = {
            "submitting": new.count(b'"state":"intended"'),
            "waiting": new.count(b'"state":"submitted"'),
            "collecting": new.count(b'"kind":"call"'),
        }[moment]
        if moment == "collecting" and reached:
            batches = min(batches, 1)
        seen = max(seen, reached)
        if seen > batches:
            time.sleep(chance.uniform(0.0, {"submitting": 0.25, "waiting": 0.8, "collecting": 0.004}[moment]))
            return child.poll() is None
    return False


def _after(journal: Path, start: int) -> bytes:
    try:
        with journal.open("rb") as file:
            file.seek(start)
            return file.read()
    except FileNotFoundError:
        return b""


def _sold(log: Path, where: str) -> Counter[str]:
    """How often each conversation was answered, live or in batches."""
    found: Counter[str] = Counter()
    for line in log.read_bytes().splitlines():
        entry = json.loads(line)
        if entry["event"] == "received" and entry["target"].endswith(where):
            found[conversation(entry["json"])] += 1
    return found


def _rounds(home: Path) -> list[tuple[Any, ...]]:
    path = home / "data" / "workspace" / "styles" / "prompts" / "results.json"
    return [
        (one["round"], one["prompt"], one["succeed"], one["answers"]) for one in json.loads(path.read_text())
    ]


def _differ(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one != other


def _line(life: Life) -> str:
    kills = ", ".join(f"{life.kills[moment]} {moment}" for moment in MOMENTS)
    return (
        f"{life.family:10} {ROUNDS} rounds, {life.batches} batches, {life.kills.total()} kills ({kills}): "
        f"{life.rows} rows bought, {life.twice} of them twice, {life.missing} missing; "
        f"{life.differing} rounds differ from the live run; exit code {life.code}"
    )


def large(folder: Path, calls: int) -> str:
    """Send so many calls at once, and say how long that took beside the provider's time."""
    arguments = ("--batch-seconds", "1.0")
    with ModelServerProcess(None, *arguments) as server:
        return asyncio.run(_large(folder, calls, server.base_url))


async def _large(folder: Path, calls: int, base_url: str) -> str:
    endpoint = Endpoint("gpt-4o-mini", base_url, timeout=300.0)

    def connect(_model: str) -> Connection:
        provider, limiter = OpenAICompatibleProvider(endpoint), Limiter(Limits())
        find: Callable[[], OpenAIBatches] = lambda: OpenAIBatches(endpoint, endpoint.model)  # noqa: E731
        return Connection(endpoint, provider, limiter, find_batches=find)

    from spotui.llm.batches.collector import Batching

    connections, known = Connections(connect), KnownBatches()
    with Journal(folder / "large.jsonl", run="large", writable=True) as journal:
        door = Door(
            connections=connections,
            ledger=journal,
            budget=Budget(BudgetSettings()),
            gate=Gate(),
            retry=Retry(RetrySettings()),
            emit=lambda _event: None,
            on_trouble="halt",
        )
        began = time.monotonic()
        async with door.batching(Batching(known=known)):
            asked = (
                door.ask(
                    CallKey(1, "execute", number),
                    Request(endpoint.model, (user(f"What is {number} plus one?"),)),
                    is_batched=True,
                )
                for number in range(calls)
            )
            replies = await asyncio.gather(*asked)
        seconds = time.monotonic() - began
        await connections.aclose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{len(replies):,} calls in {len(known.ids)} batches: {seconds:.1f} s with {os.cpu_count()} cores, "
        f"the server's time included, {memory:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
