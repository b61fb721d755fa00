"""Which provider, which server, which key."""

from collections.abc import Collection
from pathlib import Path

import pytest

from spotui.llm.routing import Limits, Price, Route, route
from spotui.settings.config_file import parse_config
from spotui.settings.errors import SettingsError

OPENAI = "https://api.openai.com/v1"
KEY = "sk-openai-0123456789abcdef"
OPENAI_KEY = {"OPENAI_API_KEY": KEY}
GATEWAY = {**OPENAI_KEY, "OPENAI_BASE_URL": "https://gateway.example/v1"}


def providers() -> Collection[str]:
    return frozenset({"anthropic", "gemini", "openrouter", "ollama"})


def way(
    model: str,
    environ: dict[str, str] | None = None,
    config: str = "",
    base_url: str | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
) -> Route:
    return route(
        model,
        base_url=base_url,
        concurrency=concurrency,
        timeout=timeout,
        config=parse_config(config, Path("config.yaml")).config,
        environ=environ or {},
        known_providers=providers,
    )


def key_of(found: Route) -> str | None:
    return found.endpoint.api_key.reveal() if found.endpoint.api_key else None


def seen(found: Route) -> tuple[str, str, str | None, str | None]:
    return found.kind, found.wire_model, found.endpoint.base_url, key_of(found)


@pytest.mark.parametrize(
    ("model", "wire_model"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-5-mini", "gpt-5-mini"),
        ("chatgpt-4o-latest", "chatgpt-4o-latest"),
        ("o1", "o1"),
        ("o3-mini", "o3-mini"),
        ("o4-mini", "o4-mini"),
        ("ft:gpt-4o-mini:org::id", "ft:gpt-4o-mini:org::id"),
        ("text-embedding-3-small", "text-embedding-3-small"),
    ],
)
def test_openai_models_go_to_openai_or_to_its_stand_in(model: str, wire_model: str) -> None:
    assert seen(way(model, OPENAI_KEY)) == ("openai_compatible", wire_model, OPENAI, KEY)
    assert seen(way(model, GATEWAY)) == ("openai_compatible", wire_model, "https://gateway.example/v1", KEY)


@pytest.mark.parametrize(
    "address", [OPENAI, "https://eu.api.openai.com/v1", "https://me.openai.azure.com/openai/v1"]
)
def test_openai_serves_its_models_by_their_bare_names(address: str) -> None:
    environ = {**OPENAI_KEY, "OPENAI_BASE_URL": address}
    assert seen(way("openai/anything", environ)) == ("openai_compatible", "anything", address, KEY)
    assert seen(way("openai/anything", OPENAI_KEY)) == ("openai_compatible", "anything", OPENAI, KEY)


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "OPENAI_API_BASE", "SPOTUI_BASE_URL"])
@pytest.mark.parametrize("model", ["openai/gpt-oss-20b", "openai/gpt-4o", "gpt-oss-20b"])
def test_the_servers_of_others_are_asked_for_an_id_as_it_is_written(variable: str, model: str) -> None:
    environ = {**OPENAI_KEY, variable: "https://gateway.example/v1"}
    assert seen(way(model, environ)) == ("openai_compatible", model, "https://gateway.example/v1", KEY)


def test_the_newer_name_of_a_variable_comes_first() -> None:
    environ = {
        **OPENAI_KEY,
        "OPENAI_API_BASE": "https://old.example/v1",
        "OPENAI_BASE_URL": "https://a.example",
    }
    assert way("gpt-4o", environ).endpoint.base_url == "https://a.example"
    with pytest.raises(SettingsError, match="OPENAI_API_BASE must be a URL"):
        way("gpt-4o", {**OPENAI_KEY, "OPENAI_API_BASE": "gateway"})


@pytest.mark.parametrize("model", ["gpt-oss-20b", "gpt-oss:120b", "openai/gpt-oss-20b"])
def test_open_weights_are_not_asked_of_openai(model: str) -> None:
    with pytest.raises(SettingsError, match="OpenAI does not serve it") as caught:
        way(model, OPENAI_KEY)
    assert f"openrouter/openai/{model.removeprefix('openai/')}" in caught.value.hint


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("lm_studio/qwen", "LM_STUDIO_API_BASE"),
        ("hosted_vllm/Qwen/Qwen3-8B", "HOSTED_VLLM_API_BASE"),
        ("llamafile/m", "LLAMAFILE_API_BASE"),
    ],
)
def test_a_server_s_software_in_front_of_an_id_needs_an_address(model: str, variable: str) -> None:
    local, name = "http://127.0.0.1:8000/v1", model.partition("/")[2]
    with pytest.raises(SettingsError, match="its address is not set") as caught:
        way(model)
    assert variable in caught.value.hint
    assert "--base-url http://localhost" in caught.value.hint
    assert way(model, {variable: local}).kind == "litellm"
    assert seen(way(model, None, "", local)) == ("openai_compatible", name, local, None)
    assert seen(way(model, {"OPENAI_BASE_URL": local})) == ("openai_compatible", name, local, None)
    entry = f"models: {{{model}: {{base_url: '{local}'}}}}"
    assert seen(way(model, None, entry)) == ("openai_compatible", name, local, None)


@pytest.mark.parametrize(
    "model",
    [
        "anthropic/claude-x",
        "gemini/g",
        "openrouter/openai/gpt-4o",
        "claude-3-5-sonnet-20240620",
        "o100-x",
        "mistral-large",
    ],
)
def test_the_rest_is_for_litellm_which_finds_its_own_keys(model: str) -> None:
    assert seen(way(model, OPENAI_KEY)) == ("litellm", model, None, None)


@pytest.mark.parametrize("model", ["claude-3-5-sonnet-20240620", "Qwen/Qwen3-8B", "mistral-large"])
def test_an_exported_server_takes_every_id_that_litellm_does_not_know(model: str) -> None:
    assert seen(way(model, GATEWAY)) == ("openai_compatible", model, "https://gateway.example/v1", KEY)
    assert way("anthropic/claude-x", GATEWAY).kind == "litellm"


def test_one_base_url_takes_every_hosted_model_as_it_is_written() -> None:
    local = "http://127.0.0.1:8000/v1"
    for model in ("gpt-4o", "openai/gpt-oss-20b", "anthropic/claude-x", "Qwen/Qwen3-8B"):
        expected = ("openai_compatible", model, local, None)
        assert seen(way(model, None, "", local)) == expected
        assert seen(way(model, {"SPOTUI_BASE_URL": local, "OPENAI_BASE_URL": OPENAI})) == expected
    typed = way(
        "m", {"SPOTUI_BASE_URL": "http://127.0.0.1:1/v1"}, "models: {m: {base_url: http://a/v1}}", local
    )
    assert typed.endpoint.base_url == local


def test_embedded_and_scripted_models_stay_where_they_are() -> None:
    for environ in ({}, GATEWAY, {"SPOTUI_BASE_URL": "http://127.0.0.1:8000/v1", **OPENAI_KEY}):
        assert seen(way("local/qwen2.5-coder-1.5b", environ)) == (
            "embedded",
            "qwen2.5-coder-1.5b",
            None,
            None,
        )
        assert seen(way("scripted/a/b.yaml", environ)) == ("scripted", "a/b.yaml", None, None)
    assert way("scripted//tmp/x.yaml").wire_model == "/tmp/x.yaml"  # noqa: S108 - only a name here
    assert way("local/x").endpoint.limits.concurrency < Limits().concurrency
    assert way("local/x").endpoint.timeout > way("anthropic/x").endpoint.timeout


@pytest.mark.parametrize("model", ["local/", "scripted/", "openai/"])
def test_an_id_without_a_name_is_an_error(model: str) -> None:
    with pytest.raises(SettingsError, match="names nothing"):
        way(model, OPENAI_KEY)


CONFIG = """\
models:
  big:
    base_url: https://models.example/v1/
    api_key_env: BIG_KEY
    timeout: 30
    concurrency: 2
    requests_per_minute: 10
    tokens_per_minute: 1000
    price: {input: 1, output: 2}
  gpt-4o: {api_key_env: WORK_KEY}
  anthropic/claude-x: {api_key_env: WORK_KEY}
"""


def test_a_models_entry_settles_its_endpoint() -> None:
    found = way("big", {"BIG_KEY": "b-key"}, CONFIG)
    assert seen(found) == ("openai_compatible", "big", "https://models.example/v1", "b-key")
    assert found.endpoint.model == "big"
    assert found.endpoint.timeout == 30
    assert found.endpoint.limits == Limits(concurrency=2, requests_per_minute=10, tokens_per_minute=1000)
    assert found.endpoint.price == Price(1, 2)
    pressed = way("big", {"BIG_KEY": "b-key"}, CONFIG, None, 20, 5)
    assert (pressed.endpoint.limits.concurrency, pressed.endpoint.timeout) == (20, 5)
    assert pressed.endpoint.limits.requests_per_minute == 10


def test_a_named_variable_gives_the_key_wherever_the_model_is() -> None:
    environ = {**OPENAI_KEY, "WORK_KEY": "w-key"}
    assert seen(way("gpt-4o", environ, CONFIG)) == ("openai_compatible", "gpt-4o", OPENAI, "w-key")
    assert seen(way("anthropic/claude-x", environ, CONFIG)) == (
        "litellm",
        "anthropic/claude-x",
        None,
        "w-key",
    )
    with pytest.raises(SettingsError, match="WORK_KEY is not set"):
        way("anthropic/claude-x", OPENAI_KEY, CONFIG)


def test_a_key_is_not_sent_to_another_server_than_its_own() -> None:
    environ = {**OPENAI_KEY, "BIG_KEY": "b-key"}
    assert key_of(way("big", environ, CONFIG, "https://other.example/v1")) == KEY
    assert key_of(way("big", environ, CONFIG, "https://models.example/v1")) == "b-key"


def test_every_openai_compatible_server_gets_the_usual_key() -> None:
    assert key_of(way("m", OPENAI_KEY, "", "http://127.0.0.1:8000/v1")) == KEY
    assert key_of(way("m", OPENAI_KEY, "models: {m: {base_url: https://one.example/v1}}")) == KEY
    assert key_of(way("m", {"OPENAI_API_KEY": f" {KEY}\n"}, "", "https://one.example/v1")) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/v1",
        "http://127.0.0.1/v1",
        "http://[::1]:8000/v1",
        "http://gpu-box:8000/v1",
        "http://gpu.local/v1",
        "http://host.docker.internal:11434/v1",
        "http://192.168.1.5:8000/v1",
        "http://100.64.0.7/v1",
        "http://0.0.0.0:8000/v1",
    ],
)
def test_a_server_of_ones_own_needs_no_key(url: str) -> None:
    assert key_of(way("m", None, "", url)) is None
    assert key_of(way("m", {"OPENAI_API_KEY": " "}, "", url)) is None


@pytest.mark.parametrize(
    "url", ["https://models.example/v1", "https://8.8.8.8/v1", "http://localhost.example.com/v1"]
)
def test_a_hosted_server_without_a_key_is_an_error_that_names_the_variable(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set") as caught:
        way("m", None, "", url)
    assert "api_key_env" in caught.value.hint
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        way("gpt-4o")


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("https://x.example/v1/", "https://x.example/v1"),
        ("https://x.example/v1/chat/completions", "https://x.example/v1"),
        ("https://x.example", "https://x.example"),
        (" https://x.example/v1 ", "https://x.example/v1"),
        ("https://x.example/v1?api-version=2024-10-21", "https://x.example/v1?api-version=2024-10-21"),
        ("https://x.example/d/chat/completions?api-version=1", "https://x.example/d?api-version=1"),
        ("https://x.example/v1/chat/completions/", "https://x.example/v1"),
    ],
)
def test_a_base_url_is_taken_as_people_paste_it(written: str, used: str) -> None:
    assert way("m", {**OPENAI_KEY, "OPENAI_BASE_URL": written}).endpoint.base_url == used
    assert way("m", {**OPENAI_KEY, "SPOTUI_BASE_URL": written}).endpoint.base_url == used


def test_a_wrong_base_url_says_where_it_came_from_and_shows_no_password() -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL must be a URL"):
        way("gpt-4o", {**OPENAI_KEY, "OPENAI_BASE_URL": "gateway.example/v1"})
    with pytest.raises(SettingsError, match="SPOTUI_BASE_URL must not hold") as caught:
        way("gpt-4o", {**OPENAI_KEY, "SPOTUI_BASE_URL": "https://me:hunter2@x/v1"})
    assert "hunter2" not in str(caught.value)
    for query in ("key=hunter22", "api-version=1&code=hunter22", "sig=hunter22", "access_token=hunter22"):
        with pytest.raises(SettingsError, match="must not hold a key") as caught:
            way("gpt-4o", {**OPENAI_KEY, "SPOTUI_BASE_URL": f"https://x.example/v1?{query}"})
        assert "hunter22" not in str(caught.value)
    with pytest.raises(SettingsError, match="without '#'"):
        way("gpt-4o", {**OPENAI_KEY, "SPOTUI_BASE_URL": "https://x.example/v1#part"})


def test_the_list_of_providers_is_only_asked_for_when_it_matters() -> None:
    def never() -> Collection[str]:
        raise AssertionError

    config = parse_config("", Path("config.yaml")).config
    for model, environ in (("gpt-4o", GATEWAY), ("local/x", GATEWAY), ("anthropic/x", OPENAI_KEY)):
        found = route(model, config=config, environ=environ, known_providers=never)
        assert found.endpoint.model == model


def test_a_route_shows_no_key() -> None:
    assert KEY not in repr(way("gpt-4o", OPENAI_KEY))
