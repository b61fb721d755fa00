"""A key is used, and is found nowhere afterwards: in no file, no event and nothing that was said."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_line import places, spotui
from tests.end_to_end.conftest import KEY, Shell
from tests.model_server import ModelServer, Scripted, faults
from tests.model_server.faults import Fault
from tests.spo_model import climbing

ECHOED = f"Incorrect API key provided: {KEY}. Bearer {KEY}"

FAULTS: dict[str, Fault | None] = {
    "nothing goes wrong": None,
    "the endpoint tells the key": faults.status(401, ECHOED),
    "the endpoint tells the key and is asked again": faults.status(500, ECHOED),
    "the endpoint tells the key in a stream": faults.stream_error(ECHOED),
    "the endpoint tells the key on a page": faults.raw(
        502, f"<html>{ECHOED}</html>".encode(), {"Content-Type": "text/html"}
    ),
}


def where_it_is(home: Path) -> list[Path]:
    """Files that hold the key, as text or in the escapes of JSON."""
    needle = KEY.encode()
    return [path for path in home.rglob("*") if path.is_file() and needle in path.read_bytes()]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("form", ["--plain", "--json"])
def test_no_file_no_event_and_no_line_of_a_run_holds_the_key(
    shell: Shell, template: str, home: Path, kind: str, form: str
) -> None:
    fault = FAULTS[kind]
    with ModelServer(climbing, faults=None if fault is None else lambda *_: fault) as server:
        said = shell(
            *("run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", "2", form),
            *("--tries", "2"),
        )
        sent = [(one.headers.get("authorization"), one.headers.get("api-key")) for one in server.requests]
        # A key that is refused is tried once where gateways look for it.
        assert set(sent) <= {(f"Bearer {KEY}", None), (None, KEY)}
    assert (said.code == 0) == (fault is None)
    outputs = [said, *(shell(*words) for words in (["show", "why"], ["list"], ["export", "why"], ["locate"]))]
    assert [one for one in outputs if KEY in one.out + one.err] == []
    assert where_it_is(home) == []


DISGUISES = {
    "as it is": KEY,
    "upper case": KEY.upper(),
    "base64": b64encode(KEY.encode()).decode(),
    "base64 of the header": b64encode(f"Bearer {KEY}".encode()).decode(),
    "cut": KEY[:-4],
}


@pytest.mark.parametrize("form", ["--plain", "--json"])
def test_a_key_in_the_answers_of_a_hostile_model_is_kept_nowhere(
    shell: Shell, template: str, home: Path, form: str
) -> None:
    echo = " and ".join(DISGUISES.values())

    def leak(reply: Scripted) -> Scripted:
        return replace(reply, text=f"{reply.text} Your key: {echo}.", reasoning=f"I know {echo}.", chunks=40)

    with ModelServer(climbing, faults=lambda *_: leak) as server:
        said = shell(
            *("run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", "2", form)
        )
    assert said.code == 0
    shown = [said, *(shell(*words) for words in (["show", "why", "2"], ["export", "why"], ["best", "why"]))]
    output = "".join(one.out + one.err for one in shown)
    assert "[key]" in output
    for hidden in DISGUISES.values():
        assert hidden not in output
        assert not [one for one in home.rglob("*") if one.is_file() and hidden.encode() in one.read_bytes()]


def test_a_detached_run_gets_the_key_and_its_log_does_not(template: str, home: Path) -> None:
    with ModelServer(climbing, api_key=KEY) as server:
        env = places(home, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.base_url)
        assert spotui("run", template, "--model", "m", "--max-rounds", "1", "--detach", env=env).code == 0
        log = home / "log" / "why.log"
        server.wait_until(lambda: b"All 1 rounds are done." in log.read_bytes())
    assert where_it_is(home) == []


def test_a_model_is_added_with_the_name_of_a_variable_and_not_with_the_key(shell: Shell, home: Path) -> None:
    with ModelServer(api_key=KEY) as server:
        env = ("--api-key-env", "OPENAI_API_KEY")
        said = shell("models", "add", "m", "--base-url", server.base_url, *env)
        assert said.code == 0
        listed, doctor = shell("models", "list"), shell("doctor", "--model", "m")
    assert "key in $OPENAI_API_KEY (set)" in listed.out
    assert "with a key" in doctor.out
    assert KEY not in said.out + said.err + listed.out + doctor.out
    assert where_it_is(home) == []


@pytest.mark.parametrize("flag", ["--base-url", "--max-rounds", "--judge"])
def test_a_key_that_is_typed_in_the_wrong_place_is_not_repeated(
    shell: Shell, template: str, home: Path, flag: str
) -> None:
    said = shell("run", template, flag, KEY, "--model", "m")
    assert said.code != 0
    assert KEY not in said.out + said.err
    assert where_it_is(home) == []
