"""spotui models: what is listed, tested, added, removed, imported and fetched."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import ROOT, Outcome, places, spotui
from tests.model_server import ModelServer, Scripted


@pytest.fixture
def config(home: Path) -> Path:
    """The config file, not there yet."""
    return home / "config" / "config.yaml"


def test_without_a_config_file_the_list_says_what_works_and_what_can_be_fetched(shell: Shell) -> None:
    said = shell("models", "list")
    assert said.code == 0
    assert "gpt-4o-mini" in said.out
    assert "local/" in said.out
    assert "MB to fetch" in said.out


def test_add_asks_the_model_once_and_then_writes_it_down(
    shell: Shell, model: ModelServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-the-key")
    asked = len(model.requests)
    said = shell(
        *("models", "add", "mine", "--base-url", model.base_url, "--api-key-env", "MY_KEY"),
        *("--price", "0.5", "1.5", "--concurrency", "3"),
    )
    assert said.code == 0
    assert said.out.startswith("mine answered ")
    assert "its price is known" in said.out
    assert len(model.requests) == asked + 1
    assert f"mine  {model.base_url}  key in $MY_KEY (set)" in shell("models", "list").out
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert shell("models", "test", "mine").code == 0
    assert "concurrency: 3" in config.read_text()


def test_a_model_for_embeddings_is_tested_as_one(
    shell: Shell, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-key")
    said = shell("models", "test", "bge", "--embedding", "--base-url", model.base_url)
    assert said.code == 0
    assert said.out.startswith("bge answered 'a vector of 64' in ")
    assert model.requests[-1].target == "/v1/embeddings"
    assert shell("models", "add", "bge", "--embedding", "--base-url", model.base_url, "--dry-run").code == 0
    assert model.requests[-1].target == "/v1/embeddings"


def test_add_writes_nothing_when_the_model_does_not_answer(
    shell: Shell, model: ModelServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    said = shell("models", "add", "mine", "--base-url", model.base_url)
    assert said.code == 1
    assert "HTTP 401" in said.err
    assert not config.exists()
    assert shell("models", "add", "mine", "--base-url", model.base_url, "--no-test").code == 0
    assert "mine" in config.read_text()


EMPTY = {
    "reasoning only": (Scripted("", reasoning="ready"), "The reply has 1 token of reasoning and no answer."),
    "nothing": (Scripted(null_content=True), "The answer is empty."),
    "filtered": (Scripted("rea", finish_reason="content_filter"), "A content filter stopped the answer"),
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("verb", ["add", "test"])
def test_a_model_without_an_answer_is_neither_accepted_nor_added(
    shell: Shell, config: Path, monkeypatch: pytest.MonkeyPatch, kind: str, verb: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-key")
    scripted, why = EMPTY[kind]
    with ModelServer(lambda _: scripted) as server:
        said = shell("models", verb, "mine", "--base-url", server.base_url)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"spotui: mine: {why}")
        assert ("--no-test" in said.err) == (verb == "add")
        assert not config.exists()
        assert shell("models", "add", "mine", "--base-url", server.base_url, "--no-test").code == 0
    assert config.exists()


@pytest.mark.parametrize(("answer", "is_added"), [("y", True), ("n", False), ("", False)])
def test_who_sits_at_a_terminal_is_asked_whether_to_add_it_anyway(
    home: Path, config: Path, answer: str, is_added: bool
) -> None:
    with (
        ModelServer(lambda _: Scripted(null_content=True)) as server,
        Terminal("models", "add", "mine", "--base-url", server.base_url, env=places(home)) as terminal,
    ):
        terminal.read_until("The answer is empty.")
        terminal.read_until("[y/N] ")
        terminal.type(f"{answer}\n")
        assert terminal.wait() == (0 if is_added else 1)
    assert config.exists() == is_added


@pytest.mark.parametrize(
    "wrong",
    [["--base-url", "not a url"], ["--concurrency", "0"], ["--timeout", "-1"], ["--price", "-1", "2"]],
)
def test_add_refuses_what_the_config_file_could_not_hold(
    shell: Shell, model: ModelServer, config: Path, wrong: list[str]
) -> None:
    for more in ([], ["--no-test"]):
        said = shell("models", "add", "mine", "--base-url", model.base_url, *wrong, *more)
        assert said.code in {1, 2}
        assert said.err.startswith("spotui: ")
    assert not config.exists()


def test_a_test_tells_latency_and_price_as_json(
    shell: Shell, model: ModelServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(shell("models", "test", "mine", "--base-url", model.base_url, "--json").out)
    assert told["model"] == "mine"
    assert 0 < told["seconds"] < 30
    assert (told["is_priced"], told["price"]) == (False, None)
    added = shell("models", "add", "mine", "--base-url", model.base_url, "--price", "1", "2", "--json")
    assert json.loads(added.out)["price"] == {"input": 1.0, "output": 2.0}
    assert config.exists()


def test_a_dry_run_asks_and_writes_nothing(shell: Shell, model: ModelServer, config: Path) -> None:
    asked = len(model.requests)
    assert shell("models", "add", "mine", "--base-url", model.base_url, "--dry-run").code == 0
    assert len(model.requests) == asked + 1
    assert not config.exists()


def with_keyring(home: Path, *words: str, key: str) -> Outcome:
    """A process of its own, with a keyring in a file."""
    path = f"{ROOT / 'tests' / 'file_keyring'}{os.pathsep}{ROOT}"
    env = {**os.environ, "PYTHONPATH": path, "KEYRING_FILE": str(home / "keyring.json")}
    del env["OPENAI_API_KEY"]
    return spotui("models", *words, env=env, stdin=key)


def test_a_key_goes_through_standard_input_into_the_keyring_and_nowhere_else(
    home: Path, model: ModelServer, config: Path
) -> None:
    words = ["add", "mine", "--keyring", "--base-url", model.base_url, "--json"]
    wrong = with_keyring(home, *words, key="sk-wrong\n")
    assert wrong.code == 1
    assert "HTTP 401" in wrong.err
    assert "sk-wrong" not in wrong.out + wrong.err
    assert not config.exists()
    assert not (home / "keyring.json").exists()  # a key that does not work is not kept

    assert "No key was typed" in with_keyring(home, *words, key="").err

    assert with_keyring(home, *words, key="sk-the-key\n").code == 0
    assert json.loads((home / "keyring.json").read_text()) == {"spotui mine": "sk-the-key"}
    assert "api_key_keyring: true" in config.read_text()
    assert "sk-the" not in config.read_text()

    again = with_keyring(home, *words, "--concurrency", "2", key="")  # the key that is there is kept
    assert again.code == 0
    assert "concurrency: 2" in config.read_text()

    gone = with_keyring(home, "remove", "mine", key="")
    assert gone.out.splitlines() == ["mine is removed.", "Its key is deleted from the system keyring."]
    assert json.loads((home / "keyring.json").read_text()) == {}


def test_the_key_of_a_model_that_was_removed_elsewhere_can_be_deleted(home: Path) -> None:
    (home / "keyring.json").write_text('{"spotui mine": "sk-the-key", "spotui other": "sk-another"}')
    assert with_keyring(home, "remove", "mine", key="").code == 0
    assert json.loads((home / "keyring.json").read_text()) == {"spotui other": "sk-another"}
    assert "There is no model 'mine'" in with_keyring(home, "remove", "mine", key="").err


def test_a_variable_that_is_set_is_what_is_tested_even_beside_a_typed_key(
    home: Path, model: ModelServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-wrong")
    words = ["add", "mine", "--keyring", "--base-url", model.base_url, "--api-key-env", "MY_KEY"]
    assert "HTTP 401" in with_keyring(home, *words, key="sk-the-key\n").err
    assert not config.exists()


def test_add_keeps_what_else_is_in_the_config_file(shell: Shell, model: ModelServer, config: Path) -> None:
    config.parent.mkdir()
    config.write_text("# mine\nmodels:\n  other:\n    base_url: http://127.0.0.1:1/v1  # at home\n")
    assert shell("models", "add", "mine", "--base-url", model.base_url, "--no-test").code == 0
    text = config.read_text()
    assert text.startswith("# mine\nmodels:\n")
    assert "base_url: http://127.0.0.1:1/v1  # at home" in text


def test_remove_takes_it_out_once(shell: Shell, model: ModelServer, config: Path) -> None:
    shell("models", "add", "mine", "--base-url", model.base_url, "--no-test")
    assert shell("models", "remove", "mine").code == 0
    assert "mine" not in config.read_text()
    again = shell("models", "remove", "mine")
    assert again.code == 1
    assert "There is no model 'mine'" in again.err


def test_import_takes_the_models_of_the_reference_and_leaves_the_keys(
    shell: Shell, home: Path, config: Path
) -> None:
    file = home / "config2.yaml"
    file.write_text(
        "llm:\n  api_type: openai\n  model: gpt-4o-mini\n  base_url: https://example.test/v1\n"
        "  api_key: sk-a-key-in-a-file\nmodels:\n  gpt-4o:\n    api_type: openai\n"
        "    base_url: https://example.test/v1\n    api_key: sk-another-key-in-a-file\n    temperature: 0\n"
    )
    said = shell("models", "import", str(file))
    assert said.code == 0
    assert "2 models imported" in said.out
    listed = shell("models", "list").out
    assert "gpt-4o  https://example.test/v1" in listed
    for text in (said.out, said.err, listed, config.read_text()):
        assert "key-in-a-file" not in text


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_import_of_what_is_not_there(shell: Shell, name: str, config: Path) -> None:
    said = shell("models", "import", name)
    assert said.code == 1
    assert said.err.startswith("spotui: ")
    assert not config.exists()


def test_a_file_of_one_s_own_is_pulled_listed_and_removed(shell: Shell, home: Path) -> None:
    file = home / "tiny.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(64))
    said = shell("models", "pull", str(file), "--name", "tiny")
    assert said.code == 0
    assert "local/tiny is ready." in said.err
    assert f"local/tiny  {file}" in shell("models", "list").out
    assert shell("models", "remove", "local/tiny").code == 0
    assert "local/tiny" not in shell("models", "list").out
    assert file.exists()


@pytest.mark.parametrize("content", [b"", b"a web page", b"GGUX"])
def test_a_file_that_is_no_model_is_not_taken(shell: Shell, home: Path, content: bytes) -> None:
    file = home / "tiny.gguf"
    file.write_bytes(content)
    said = shell("models", "pull", str(file))
    assert said.code == 1
    assert "tiny is not a GGUF file" in said.err
    assert "local/tiny" not in shell("models", "list").out


def test_nothing_is_fetched_when_there_is_nobody_to_ask(shell: Shell, home: Path) -> None:
    said = shell("models", "pull", "local/smollm2-135m")
    assert said.code == 1
    assert "--yes" in said.err
    assert not (home / "data" / "models").exists()
