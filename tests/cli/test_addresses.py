"""A key goes only where the user has named: a run.yaml from somebody else sends it nowhere."""

import json
from pathlib import Path

import pytest

from spotui.settings.keys import origin
from tests.cli.conftest import Shell
from tests.model_server import ModelServer
from tests.spo_model import climbing

KEY = "sk-the-key"


def keys_sent(server: ModelServer) -> set[str]:
    """The keys that a server was sent, wherever in a request's headers they stand."""
    return {value for one in server.requests for value in one.headers.values() if KEY in value}


@pytest.fixture
def theirs(shell: Shell, template: str, model: ModelServer, home: Path) -> Path:
    """The run.yaml of a project whose run was started with --base-url, as from somebody else."""
    words = ("run", template, "--model", "test-model", "--max-rounds", "2", "--base-url", model.base_url)
    assert shell(*words).code == 0
    (home / "config" / "addresses.json").unlink()
    return home / "data" / "workspace" / "why" / "run.yaml"


def test_a_run_that_the_user_started_is_resumed_with_the_key(
    shell: Shell, template: str, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", template, "--model", "test-model", "--max-rounds", "2", "--base-url", model.base_url)
    assert shell(*words).code == 0
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert shell("resume", "why", "--max-rounds", "3").code == 0


def test_an_address_that_only_a_run_yaml_names_gets_no_key_until_the_user_says_so(
    shell: Shell, theirs: Path, model: ModelServer
) -> None:
    with ModelServer(climbing) as other:
        theirs.write_text(theirs.read_text().replace(model.base_url, other.base_url))
        resumed = shell("resume", "why", "--max-rounds", "3")
        assert resumed.code == 0
        assert f"{other.base_url} gets no key of yours" in resumed.err
        assert other.requests
        assert not keys_sent(other)
        wrong = shell("resume", "why", "--max-rounds", "4", "--trust-address", "http://127.0.0.1:1/v1")
        assert (wrong.code, f"the run's address is {other.base_url}" in wrong.err) == (2, True)
        assert not keys_sent(other)
        trusted = shell("resume", "why", "--max-rounds", "4", "--trust-address", other.base_url)
        assert (trusted.code, "gets no key" in trusted.err) == (0, False)
        assert keys_sent(other) == {f"Bearer {KEY}"}
        assert shell("resume", "why", "--max-rounds", "5").code == 0


def test_a_server_that_asks_for_the_key_that_it_does_not_get_is_explained(
    shell: Shell, theirs: Path, model: ModelServer
) -> None:
    with ModelServer(climbing, api_key="sk-other") as other:
        theirs.write_text(theirs.read_text().replace(model.base_url, other.base_url))
        resumed = shell("resume", "why", "--max-rounds", "3")
    assert resumed.code != 0
    assert "Your key is not sent there. If you trust that address, allow it once" in resumed.err


def test_a_hosted_address_that_only_a_run_yaml_names_is_refused(
    shell: Shell, theirs: Path, model: ModelServer
) -> None:
    theirs.write_text(theirs.read_text().replace(model.base_url, "https://elsewhere.example/v1"))
    resumed = shell("resume", "why", "--max-rounds", "3")
    assert resumed.code != 0
    assert "only this project's run.yaml names that address" in resumed.err
    assert "--trust-address https://elsewhere.example/v1" in resumed.err


def test_an_address_of_the_environment_or_the_config_file_is_the_user_s_own(
    shell: Shell, theirs: Path, home: Path, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert theirs.exists()
    assert shell("resume", "why", "--max-rounds", "3").code == 0  # OPENAI_BASE_URL names it
    monkeypatch.delenv("OPENAI_BASE_URL")
    (home / "config" / "config.yaml").write_text(f"models: {{other: {{base_url: '{model.base_url}'}}}}\n")
    assert shell("resume", "why", "--max-rounds", "4").code == 0


def test_a_damaged_list_of_addresses_says_what_to_do(
    shell: Shell, theirs: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert theirs.exists()
    monkeypatch.delenv("OPENAI_BASE_URL")
    (home / "config" / "addresses.json").write_text(json.dumps({"a": 1}))
    resumed = shell("resume", "why", "--max-rounds", "3")
    assert resumed.code != 0
    assert "addresses.json is damaged" in resumed.err


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Models.Example/v1", "https://models.example:443"),
        ("https://models.example.:443/v2?api-version=1", "https://models.example:443"),
        ("http://models.example/v1", "http://models.example:80"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("http://host:port/v1", ""),
        ("nonsense", ""),
    ],
)
def test_an_address_is_its_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize("named", ["huggingface/https://elsewhere.example", "openai/http://127.0.0.1:1/v1"])
def test_a_model_id_may_not_hold_an_address(shell: Shell, template: str, named: str) -> None:
    found = shell("run", template, "--model", named, "--yes")
    assert found.code != 0
    assert "holds an address" in found.err
