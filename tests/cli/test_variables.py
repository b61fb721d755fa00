"""A header takes its value from the environment, which goes out and is kept nowhere."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.command_line import TEMPLATE, write_template
from tests.model_server import JsonObject, ModelServer
from tests.spo_model import climbing, role_of

TEAM_KEY = "team-key-4f9a1c77e0b2"
HEADERS = '{"X-Team-Key": "${TEAM_KEY}", "X-Who": "${TEAM_ID} and others"}'
WORDS = ("--model", "test-model", "--no-final-check", "--exec-headers", HEADERS)


def echoing(request: JsonObject) -> str:
    """A model that repeats what it must not."""
    said = climbing(request)
    text = said if isinstance(said, str) else said.text
    return f"{text} {TEAM_KEY}" if role_of(request) == "execute" else text


def everything_in(folder: Path) -> str:
    return "\n".join(
        one.read_text(errors="replace") for one in folder.rglob("*") if one.is_file() and one.suffix != ".py"
    )


def test_the_value_goes_out_with_the_calls_of_its_role_and_is_kept_nowhere(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_template(home)
    with ModelServer(echoing) as server:
        words = ("run", path, *WORDS, "--exec-query", '{"team": "${TEAM_ID}"}', "--base-url", server.base_url)
        missing = shell(*words, "--max-rounds", "2")
        assert missing.code != 0
        assert "takes its value from TEAM_" in missing.err
        assert not server.requests

        monkeypatch.setenv("TEAM_KEY", TEAM_KEY + "\n")
        monkeypatch.setenv("TEAM_ID", "search")
        ran = shell(*words, "--max-rounds", "2", "--fresh", "--json")
        assert ran.code == 0, ran.err
        sent = {
            (role_of(one.json), one.headers.get("x-team-key"), one.headers.get("x-who"))
            for one in server.requests
        }
        assert ("execute", TEAM_KEY, "search and others") in sent
        assert ("propose", None, None) in sent
        assert any(one.target.endswith("?team=search") for one in server.requests)
        kept = everything_in(home)
        assert "${TEAM_KEY}" in kept
        assert "and so on, [key]" in " ".join(kept.split())
        assert TEAM_KEY not in kept + ran.out + ran.err

        # Another value is not another question, and the run needs no flag to be resumed.
        monkeypatch.setenv("TEAM_KEY", TEAM_KEY[::-1])
        bought = len(server.requests)
        assert shell("resume", "why", "--max-rounds", "3").code == 0
        asked = [one for one in server.requests[bought:] if role_of(one.json) == "execute"]
        assert {one.headers["x-team-key"] for one in asked} == {TEAM_KEY[::-1]}
        assert len(asked) == 3

        # A project from somebody else has no say in what leaves this machine.
        (home / "config" / "variables.json").unlink()
        bought = len(server.requests)
        refused = shell("resume", "why", "--max-rounds", "4")
        assert refused.code != 0
        assert "in your environment, but only this project's run.yaml says so." in refused.err
        assert "write the same `headers` or `query` into your config file" in refused.err
        assert not [one for one in server.requests[bought:] if role_of(one.json) == "execute"]
        (home / "config" / "config.yaml").write_text(
            f"roles:\n  executor: {{headers: {json.dumps(json.loads(HEADERS))}}}\n"
        )
        assert shell("resume", "why", "--max-rounds", "4").code == 0
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
        (home / "config" / "addresses.json").unlink()
        (home / "config" / "config.yaml").unlink()
        assert "only this project's run.yaml" in shell("resume", "why", "--max-rounds", "5").err


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ("{X-Team: '${TEAM_KEY}'}", "models.executor.headers takes TEAM_KEY from your environment, which no"),
        (
            "{X-Team-Key: abc}",
            "must not hold a key; put it into an environment variable and write ${ITS_NAME}",
        ),
        ("{X-Team-Key: 'abc${TEAM_KEY}'}", "must not hold a key"),
        ("{X-Team: '${TEAM KEY}'}", "must name an environment variable as ${TEAM_ID}"),
    ],
)
def test_a_template_names_no_variable_and_no_header_holds_a_key(
    shell: Shell, home: Path, headers: str, fault: str
) -> None:
    path = write_template(home, TEMPLATE + f"models: {{executor: {{headers: {headers}}}}}\n")
    checked = shell("check", path)
    assert checked.code != 0
    assert fault in " ".join((checked.out + checked.err).split())
