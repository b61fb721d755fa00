"""Taking over the reference's config2.yaml without its keys."""

from pathlib import Path

import pytest

from spotui.settings import (
    ModelConfig,
    ReferenceImport,
    SettingsError,
    import_reference,
    load_config,
    save_model,
)

KEY = "sk-proj-abcdef0123456789abcdef"

FILE = f"""\
# Full example: see the documentation
llm:
  api_type: "openai"
  model: "gpt-4-turbo"  # or gpt-3.5-turbo
  base_url: "https://api.openai.com/v1"
  api_key: "{KEY}-llm"
  temperature: 0
  proxy: "http://proxy.example:3128"
models:
  "gpt-4o-mini":
    api_type: "openai"
    base_url: "https://gateway.example/v1/"
    api_key: "{KEY}-mini"
    temperature: 0
  "deepseek-chat":
    api_type: deepseek
    base_url: https://api.deepseek.com
    api_key: "YOUR_API_KEY"
    timeout: 300
  "claude-3-5-sonnet-20240620":
    api_type: "anthropic"
    base_url: https://api.anthropic.com
    api_key: "{KEY}-claude"
  "short":
    api_type: ollama
    model: llama3
    base_url: http://127.0.0.1:11434/api
  "spark-max":
    api_type: spark
    api_secret: {KEY}-spark
search:
  api_type: google
  api_key: {KEY}-search
"""


def imported(folder: Path, text: str) -> ReferenceImport:
    path = folder / "config2.yaml"
    path.write_text(text, encoding="utf-8")
    return import_reference(path)


def test_models_are_carried_over_and_keys_are_handed_back(tmp_path: Path) -> None:
    found = imported(tmp_path, FILE)
    assert found.models == {
        "gpt-4-turbo": ModelConfig(),
        "gpt-4o-mini": ModelConfig(base_url="https://gateway.example/v1/"),
        "deepseek-chat": ModelConfig(base_url="https://api.deepseek.com", timeout=300),
        "anthropic/claude-3-5-sonnet-20240620": ModelConfig(),
        "ollama_chat/llama3": ModelConfig(),
    }
    assert {model: key.reveal() for model, key in found.found_keys.items()} == {
        "gpt-4-turbo": f"{KEY}-llm",
        "gpt-4o-mini": f"{KEY}-mini",
        "anthropic/claude-3-5-sonnet-20240620": f"{KEY}-claude",
    }


def test_what_has_no_place_is_told(tmp_path: Path) -> None:
    left = imported(tmp_path, FILE).left_out
    for expected in (
        "search: spotui has no such section.",
        "llm.temperature: a temperature belongs to a role here.",
        "llm.proxy: set HTTPS_PROXY instead.",
        "models.gpt-4o-mini.temperature: a temperature belongs to a role here.",
        "models.claude-3-5-sonnet-20240620.base_url: set ANTHROPIC_API_BASE instead.",
        "models.short: its short name is not kept, the model is called ollama_chat/llama3 here.",
        "models.short.base_url: set OLLAMA_API_BASE instead.",
        "models.spark-max: spotui cannot reach models of the type spark.",
    ):
        assert expected in left
    assert len(left) == 8


def test_no_key_is_shown_or_saved(tmp_path: Path) -> None:
    found = imported(tmp_path, FILE)
    assert KEY not in repr(found)
    saved = tmp_path / "config.yaml"
    for model, entry in found.models.items():
        save_model(model, entry, saved)
    assert KEY not in saved.read_text(encoding="utf-8")
    assert load_config(saved).config.models == found.models


@pytest.mark.parametrize(
    "key",
    [
        "YOUR_API_KEY",
        "your-api-key",
        "<YOUR_KEY>",
        "sk-xxx",
        "sk-XXXX-xxxx",
        "sk-...",
        "sk-",
        "",
        "EMPTY",
        "null",
    ],
)
def test_placeholders_are_no_keys(key: str, tmp_path: Path) -> None:
    found = imported(tmp_path, f'models: {{m: {{api_key: "{key}", base_url: YOUR_BASE_URL}}}}')
    assert found.found_keys == {}
    assert found.models == {"m": ModelConfig()}
    assert found.left_out == ()


def test_the_example_file_as_it_is_shipped_gives_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, 'llm: {model: "YOUR_MODEL_NAME", api_key: "YOUR_API_KEY"}\nmodels:\n')
    assert found == ReferenceImport({}, {}, ("llm: it names no model.",))


def test_a_models_entry_comes_before_llm(tmp_path: Path) -> None:
    text = "models: {m: {base_url: http://two/v1}}\nllm: {model: m, base_url: http://one/v1}\n"
    assert imported(tmp_path, text).models == {"m": ModelConfig(base_url="http://two/v1")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("llm: 3", "llm: this is not a mapping."),
        ("llm: {model: m, api_key: 'two words'}", "llm.api_key: this key holds a space"),
        ("llm: {model: m, base_url: 'https://me:pw@host/v1'}", "llm.base_url: it must not hold a user name"),
        ("llm: {model: m, timeout: soon}", "llm.timeout: it must be seconds"),
        ("models: [m]", "models: this is not a mapping of models."),
        ("models: {m: 3}", "models.m: this is not a mapping."),
        ("models: {'': {}}", "it names no model."),
        ("models: {m: {api_type: [a]}}", "spotui cannot reach"),
        ("llm: {model: [m]}", "llm: it names no model."),
    ],
)
def test_odd_entries_are_told_and_not_raised(text: str, told: str, tmp_path: Path) -> None:
    left = imported(tmp_path, text).left_out
    assert any(told in sentence for sentence in left), left


@pytest.mark.parametrize(
    "text", ["", "- a", "search: {}", "llm: {", f"llm: {{api_key: {KEY}, api_key: {KEY}}}"]
)
def test_what_is_no_model_file_is_an_error_without_keys(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config2\.yaml") as caught:
        imported(tmp_path, text)
    assert KEY not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        import_reference(tmp_path / "config2.yaml")
