"""What can be used here: nothing is asked of a model, and nothing that is missing holds anybody up."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from spotui.llm.discovery import KEYS, LOCAL_SERVERS, MODELS_A_SERVER, Offer, Server, find_models
from spotui.llm.pricing import lookup
from spotui.settings.config_file import Config, parse_config
from spotui.settings.table import DEFAULT_MODEL
from tests.command_line import places, spotui
from tests.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(models=("llama", "nomic-embed-text", "qwen")) as model:
        yield model


def find(folder: Path, *servers: Server, config: str = "", **environ: str) -> list[Offer]:
    parsed = parse_config(config, folder / "config.yaml").config if config else Config()
    return find_models(parsed, environ, folder / "models", servers)


def test_the_embedded_model_is_always_there_and_says_what_it_takes(tmp_path: Path) -> None:
    (one,) = find(tmp_path)
    assert (one.model, one.note) == (DEFAULT_MODEL, "1.12 GB are downloaded first")


def test_each_key_leads_to_a_model(tmp_path: Path) -> None:
    found = find(tmp_path, **dict.fromkeys(KEYS, "sk-x"), COHERE_API_KEY="", PATH="x")
    assert [(one.source, one.model) for one in found[:-1]] == list(KEYS.items())


@pytest.mark.parametrize("model", KEYS.values())
def test_what_a_key_leads_to_has_a_known_price(model: str) -> None:
    price = lookup(model)
    assert price is not None
    assert 0 < price.output < 10


def test_a_server_on_this_machine_offers_its_models_for_chat(tmp_path: Path, server: ModelServer) -> None:
    found = find(tmp_path, Server("Ollama", server.base_url))
    assert found[:-1] == [Offer(one, "Ollama", server.base_url) for one in ("llama", "qwen")]


def test_ollama_is_looked_for_where_the_environment_says(tmp_path: Path, server: ModelServer) -> None:
    place = server.base_url.removeprefix("http://").removesuffix("/v1")
    moved = find(tmp_path, *LOCAL_SERVERS[:1], OLLAMA_HOST=place.replace("127.0.0.1", "0.0.0.0"))  # noqa: S104
    assert Offer("llama", "Ollama", server.base_url) in moved


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "SPOTUI_BASE_URL"])
def test_the_endpoint_of_the_environment_is_asked_with_its_key(variable: str, tmp_path: Path) -> None:
    with ModelServer(models=("gpt-x", "a/b"), api_key="sk-right") as server:
        right = find(tmp_path, OPENAI_API_KEY="sk-right", **{variable: server.base_url})
        wrong = find(tmp_path, OPENAI_API_KEY="sk-wrong", **{variable: server.base_url})
    assert Offer("gpt-x", variable, note=server.base_url) in right
    assert Offer("a/b", variable, server.base_url) in right
    told = Offer("", variable, server.base_url, "does not accept the key (HTTP 401)")
    assert told in wrong
    assert [one.source for one in wrong] == [variable, "embedded"]


def test_a_key_is_not_shown_to_a_server_that_merely_listens_here(tmp_path: Path) -> None:
    told: list[str] = []

    class Curious(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(str(self.headers))
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with HTTPServer(("127.0.0.1", 0), Curious) as http:
        threading.Thread(target=http.handle_request).start()
        find(tmp_path, Server("vLLM", f"http://127.0.0.1:{http.server_port}/v1"), OPENAI_API_KEY="sk-secret")
    assert len(told) == 1
    assert "secret" not in told[0]


@pytest.mark.parametrize("models", [{"data": "no list"}, {"data": [1, {"id": 2}, {}]}, {"hello": "world"}])
def test_a_server_of_another_kind_offers_nothing(models: dict[str, object], tmp_path: Path) -> None:
    with ModelServer(models=models) as server:
        assert [one.source for one in find(tmp_path, Server("vLLM", server.base_url))] == ["embedded"]


def test_a_server_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        assert len(find(tmp_path, Server("vLLM", url, patience=0.2))) == 1
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nonsense", "http://[::1", "http://x:99999/v1"])
def test_an_endpoint_that_leads_nowhere_is_told(url: str, tmp_path: Path) -> None:
    [endpoint, embedded] = find(tmp_path, OPENAI_BASE_URL=url)
    assert endpoint == Offer("", "OPENAI_BASE_URL", url, "does not answer")
    assert embedded.source == "embedded"


def test_of_a_server_with_hundreds_only_some_are_told(tmp_path: Path) -> None:
    with ModelServer(models=tuple(f"m{number}" for number in range(300))) as server:
        assert len(find(tmp_path, Server("vLLM", server.base_url))) == MODELS_A_SERVER + 1


def test_what_the_settings_say_comes_first_and_once(tmp_path: Path) -> None:
    config = "roles:\n  executor:\n    model: mine\nmodels:\n  other: {}\n  mine: {}\n"
    found = find(tmp_path, config=config, OPENAI_API_KEY="k")
    assert [(one.model, one.source) for one in found] == [
        ("mine", "your settings"),
        ("other", "your settings"),
        (KEYS["OPENAI_API_KEY"], "OPENAI_API_KEY"),
        (DEFAULT_MODEL, "embedded"),
    ]


def test_the_command_line_tells_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ModelServer
) -> None:
    env = places(tmp_path, OPENAI_BASE_URL=server.base_url)
    said = spotui("models", "find", "--json", env=env)
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert {"model": "qwen", "source": "OPENAI_BASE_URL", "note": server.base_url} in rows
    assert f"qwen  OPENAI_BASE_URL  {server.base_url}" in spotui("models", "find", env=env).out
