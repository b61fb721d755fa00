"""A run for programs: events on standard output, commands on standard input, and others who attach."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spotui.cli import exit_codes
from spotui.domain.event_lines import WIRE_VERSION
from spotui.workspace.overview import read_overview
from spotui.workspace.projects import Workspace
from tests.cli.conftest import Shell
from tests.command_line import begin, places, spotui
from tests.model_server import ModelServer
from tests.spo_model import climbing

Json = dict[str, Any]


@pytest.fixture
def slow() -> Iterator[ModelServer]:
    """A model that leaves time for commands."""
    with ModelServer(climbing, delay=0.2) as server:
        yield server


def words(server: ModelServer, template: str, rounds: int = 2) -> list[str]:
    return ["run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", str(rounds)]


def until(process: "subprocess.Popen[bytes]", kind: str, **having: Any) -> Json:
    """Read on to an event of a kind."""
    assert process.stdout is not None
    for line in process.stdout:
        event: Json = json.loads(line)
        if event["event"] == kind and having.items() <= event.items():
            return event
    raise AssertionError(f"no {kind} {having} came")


def tell(process: "subprocess.Popen[bytes]", command: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(command).encode() + b"\n")


def listed(home: Path) -> str:
    return read_overview(Workspace(home / "data" / "workspace").project("why")).state


def end(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    _, err = process.communicate(timeout=120)
    return process.returncode, err.decode()


@pytest.mark.real_interpreter
def test_every_line_is_an_event_and_commands_are_obeyed(home: Path, template: str, slow: ModelServer) -> None:
    process = begin(*words(slow, template, 9), "--json", env=places(home))
    opened = until(process, "run_opened")
    assert (opened["project"], opened["version"], opened["rounds"]) == ("why", WIRE_VERSION, 9)
    tell(process, {"command": "pause"})
    until(process, "state_changed", state="paused")
    assert listed(home) == "paused"
    tell(process, {"command": "frob"})
    assert "frob" in until(process, "command_refused")["command"]
    tell(process, {"command": "rounds", "rounds": 2})
    assert until(process, "limits_changed")["changes"] == {"rounds": 2}
    tell(process, {"command": "resume"})
    until(process, "state_changed", state="running")
    assert listed(home) == "running"
    stopped = until(process, "run_stopped")
    assert (stopped["reason"], stopped["rounds"], stopped["improved"]) == ("finished", 2, True)
    assert end(process) == (exit_codes.OK, "")


def test_a_stop_command_ends_the_run_as_ctrl_c_does(home: Path, template: str, slow: ModelServer) -> None:
    process = begin(*words(slow, template), "--json", env=places(home))
    until(process, "round_started")
    tell(process, {"command": "stop"})
    assert until(process, "run_stopped")["reason"] == "stopped"
    assert end(process)[0] == exit_codes.STOPPED


def test_commands_may_come_from_a_file_or_not_at_all(home: Path, template: str, slow: ModelServer) -> None:
    said = spotui(
        *words(slow, template, 1), "--json", env=places(home), stdin='{"command":"rounds","rounds":2}'
    )
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[-1]["rounds"] == 2
    assert said.code == exit_codes.OK


def test_a_pause_on_failure_waits_for_a_command(home: Path, template: str) -> None:
    with ModelServer(climbing, api_key="sk-right") as server:
        env = places(home, OPENAI_API_KEY="sk-wrong")
        process = begin(*words(server, template, 1), "--json", "--on-failure", "pause", env=env)
        assert "HTTP 401" in until(process, "state_changed", state="paused")["cause"]
        tell(process, {"command": "stop"})
        assert until(process, "run_stopped")["reason"] == "stopped"
        assert end(process)[0] == exit_codes.STOPPED


def test_a_signal_to_end_stops_cleanly(home: Path, template: str, slow: ModelServer) -> None:
    process = begin(*words(slow, template), env=places(home))
    slow.wait_until(lambda: len(slow.requests) == 3)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == exit_codes.STOPPED
    assert "Stopped by the user." in out.decode()
    assert {one.outcome for one in slow.requests} == {"completed"}


def test_a_reader_that_leaves_does_not_end_the_run(
    home: Path, template: str, slow: ModelServer, shell: Shell
) -> None:
    process = begin(*words(slow, template), env=places(home))
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(120) == exit_codes.OK
    for pipe in (process.stdin, process.stderr):
        assert pipe is not None
        pipe.close()
    assert shell("list").out.splitlines()[1].split()[:3] == ["why", "finished", "2"]


def test_a_detached_run_can_be_watched_from_its_beginning_and_steered(
    home: Path, template: str, slow: ModelServer
) -> None:
    env = places(home)
    slow.delay = 1.0  # the pause comes before round 6, however busy the machine is
    begun = spotui(*words(slow, template, 40), "--detach", env=env)
    assert begun.code == 0
    assert "spotui attach why" in begun.out
    assert spotui("attach", "why", "--send", "pause", env=env).code == 0
    assert spotui("attach", "why", "--send", '{"command":"rounds","rounds":5}', env=env).code == 0
    refused = spotui("attach", "why", "--send", '{"command":"override","round":9,"outcome":"win"}', env=env)
    assert refused.code == exit_codes.FAILED
    assert "refused override" in refused.err
    watcher = begin("attach", "why", env=env)
    assert watcher.stdout is not None
    assert watcher.stdout.readline().startswith(b"why: spo, 40 rounds")
    slow.delay = 0.0
    assert spotui("attach", "why", "--send", "resume", env=env).code == 0
    out, _ = watcher.communicate(timeout=120)
    assert watcher.returncode == exit_codes.OK
    assert b"limits: rounds 5" in out
    assert b"All 5 rounds are done." in out
    gone = spotui("attach", "why", env=env)
    assert gone.code == exit_codes.FAILED
    assert "spotui resume why" in gone.err
    assert "All 5 rounds are done." in (home / "log" / "why.log").read_text()


def test_leaving_a_run_that_is_watched_does_not_stop_it(home: Path, template: str, slow: ModelServer) -> None:
    run = begin(*words(slow, template), "--json", env=places(home))
    tell(run, {"command": "pause"})
    until(run, "state_changed", state="paused")
    watcher = begin("attach", "why", "--json", env=places(home))
    until(watcher, "run_opened")
    watcher.send_signal(signal.SIGINT)
    code, _ = end(watcher)
    assert code == exit_codes.OK
    tell(run, {"command": "resume"})
    assert until(run, "run_stopped")["reason"] == "finished"
    assert end(run)[0] == exit_codes.OK


def test_detaching_tells_at_once_what_keeps_a_run_from_starting(home: Path, workspace: Path) -> None:
    (workspace / "why" / "run.yaml").write_text("nonsense")
    said = spotui("resume", "why", "--detach", env=places(home))
    assert said.code == exit_codes.FAILED
    assert "run.yaml" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("limit", [["--concurrency", "2"], ["--budget-usd", "none"], ["--max-rounds", "3"]])
def test_a_detached_run_takes_every_limit_along(home: Path, workspace: Path, limit: list[str]) -> None:
    env = places(home, OPENAI_API_KEY="k")
    assert spotui("resume", "why", "--detach", *limit, env=env).code == 0
    said = (home / "log" / "why.log").read_text()
    assert "spotui:" not in said
