"""kill -9 at any moment of a run: after a resume everything is as if nothing had been."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.command_line import places, write_template
from tests.end_to_end.aftermath import history, journalled, results
from tests.model_server import ModelServer, Recorded, conversation
from tests.spo_model import mixed

MOMENTS = 9
BATCHES = 3
WIDE_MOMENTS = 3
AT_ONCE = 3
ROUNDS = 3

# The longest that anything after a request takes: its reply, the journal, a round's files.
JITTER_SECONDS = 0.03


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(mixed, delay=0.008, pause=0.001) as server:
        yield server


def of(server: ModelServer, model: str) -> list[Recorded]:
    return [one for one in server.requests if one.json["model"] == model]


class Life:
    """One project, begun, killed and resumed; its model's name tells its requests from all others."""

    def __init__(self, folder: Path, server: ModelServer, name: str, *options: str) -> None:
        self.options = options
        self.home = folder / name
        self.home.mkdir()
        self.server = server
        self.model = name
        self._env = places(self.home, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)

    def run(self, *, kill_after: int | None = None, jitter: float = 0.0) -> int:
        """Begin; with `kill_after`, kill it so long after so many requests. Returns its exit code."""
        child = self._start(
            "run",
            write_template(self.home),
            "--model",
            self.model,
            "--max-rounds",
            str(ROUNDS),
            *self.options,
        )
        if kill_after is not None:
            self.server.wait_until(
                lambda: len(of(self.server, self.model)) >= kill_after or child.poll() is not None
            )
            time.sleep(jitter)
            child.kill()
        code = child.wait()
        self._let_the_server_read_what_was_sent()
        return code

    def resume(self) -> int:
        return self._start("resume", "why").wait()

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.home / "log.txt").open("ab") as log:
            command = [sys.executable, "-m", "spotui", *words]
            return subprocess.Popen(command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _let_the_server_read_what_was_sent(self) -> None:
        """It reads in the order of what comes: then nothing of a dead process is still to be read."""
        asking = HTTPConnection(self.server.base_url.split("/")[2])
        asking.request("GET", "/v1/models")
        asking.getresponse().read()
        asking.close()

    def end_state(self) -> tuple[object, ...]:
        read = history(self.home)
        assert read.best is not None
        assert read.stop is not None
        rounds = [(one.round, one.outcome, one.prompt, one.parent, one.answers) for one in read.rounds]
        return results(self.home), read.best.round, read.best.prompt, rounds, read.stop.reason


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> tuple[Life, int]:
    life = Life(tmp_path_factory.mktemp("undisturbed"), server, "undisturbed")
    code = life.run()
    assert code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    return life, code


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_run_that_was_killed_ends_as_if_it_had_not_been_and_buys_nothing_twice(
    tmp_path: Path, server: ModelServer, undisturbed: tuple[Life, int], batch: int
) -> None:
    whole, code = undisturbed
    _kill_and_resume(tmp_path, whole, code, MOMENTS // BATCHES, str(batch))


def test_a_run_with_several_candidates_a_round_that_was_killed_buys_nothing_twice_either(
    tmp_path: Path, server: ModelServer
) -> None:
    whole = Life(tmp_path, server, "wide", "--width", "3")
    code = whole.run()
    assert code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    _kill_and_resume(tmp_path, whole, code, WIDE_MOMENTS, "wide")


def _kill_and_resume(tmp_path: Path, whole: Life, code: int, kills: int, batch: str) -> None:
    """Kill copies of a run at random moments and resume them; each ends as the run did."""
    server, wanted = whole.server, whole.end_state()
    asked = Counter(conversation(one.json) for one in of(server, whole.model))
    total = asked.total()
    chance = random.Random(batch)
    moments = [(chance.randint(0, total), chance.uniform(0.0, JITTER_SECONDS)) for _ in range(kills)]

    def live(number: int) -> str:
        life = Life(tmp_path, server, f"life-{batch}-{number}", *whole.options)
        requests, jitter = moments[number]
        life.run(kill_after=requests, jitter=jitter)
        sent = len(of(server, life.model))
        if not (life.home / "data" / "workspace" / "why").exists():
            assert sent == 0
            return ""  # it had not even begun
        kept = journalled(life.home)
        assert (life.resume(), life.end_state()) == (code, wanted), (life.home / "log.txt").read_text()
        bought = kept + Counter(conversation(one.json) for one in of(server, life.model)[sent:])
        return next((text for text, times in bought.items() if times > asked[text]), "")

    with ThreadPoolExecutor(AT_ONCE) as together:
        assert list(together.map(live, range(len(moments)))) == [""] * len(moments)
