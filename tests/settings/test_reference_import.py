"""Taking over the reference's config2.yaml without its keys."""

from pathlib import Path

import pytest

from spotui.settings.config_file import ModelConfig, load_config
from spotui.settings.errors import SettingsError
from spotui.settings.reference_import import ReferenceImport, import_reference
from spotui.settings.save import save_model

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


def imported(folder: Path, text: str, **environ: str) -> ReferenceImport:
    path = folder / "config2.yaml"
    path.write_text(text, encoding="utf-8")
    return import_reference(path, environ)


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
        "llm.proxy: set HTTPS_PROXY=http://proxy.example:3128 in the environment instead.",
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


def test_a_file_that_the_web_app_saved_is_imported_whole(tmp_path: Path) -> None:
    text = f"""\
llm: {{api_type: openai, base_url: https://api.deepseek.com/v1, api_key: {KEY}}}
models:
  deepseek-chat:
    api_type: openai
    base_url: ${{llm.base_url}}
    api_key: ${{llm.api_key}}
"""
    found = imported(tmp_path, text)
    assert found.models == {"deepseek-chat": ModelConfig(base_url="https://api.deepseek.com/v1")}
    assert found.found_keys["deepseek-chat"].reveal() == KEY
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("${llm.base_url}", "https://one.example/v1"),
        ("${ llm.base_url }", "https://one.example/v1"),
        ("https://${host}/v1", "https://gate.example/v1"),
        ("${models.gpt-4.1.base_url}", "https://dotted.example/v1"),
        ("${endpoints.1}", "https://list.example/v1"),
        ("${models.${which}.base_url}", "https://dotted.example/v1"),
        ("${chain.a}", "https://gate.example/v1"),
        ("$GATEWAY", "https://env.example/v1"),
        ("${GATEWAY}", "https://env.example/v1"),
        ("${env:GATEWAY}", "https://env.example/v1"),
        ("${oc.env:GATEWAY}", "https://env.example/v1"),
        ("${oc.env:UNSET,https://default.example/v1}", "https://default.example/v1"),
        ("${UNSET:-https://default.example/v1}", "https://default.example/v1"),
        ("*url", "https://anchored.example/v1"),
    ],
)
def test_a_value_may_refer_to_the_file_and_to_the_environment(value: str, url: str, tmp_path: Path) -> None:
    quoted = value if value.startswith("*") else f"'{value}'"
    text = f"""\
host: gate.example
which: gpt-4.1
anchored: &url https://anchored.example/v1
endpoints: [https://zero.example/v1, https://list.example/v1]
chain: {{a: "${{chain.b}}", b: "https://${{host}}/v1"}}
llm: {{base_url: https://one.example/v1}}
models:
  gpt-4.1: {{base_url: https://dotted.example/v1}}
  m: {{base_url: {quoted}}}
"""
    assert imported(tmp_path, text, GATEWAY="https://env.example/v1").models["m"].base_url == url


@pytest.mark.parametrize(
    "value", ["$MY_KEY", "${MY_KEY}", "${env:MY_KEY}", "${oc.env:MY_KEY}", "${keys.main}"]
)
@pytest.mark.parametrize("environ", [{}, {"MY_KEY": KEY}])
def test_a_key_in_the_environment_stays_there(value: str, environ: dict[str, str], tmp_path: Path) -> None:
    text = f"keys: {{main: $MY_KEY}}\nmodels: {{m: {{api_key: '{value}'}}}}\n"
    found = imported(tmp_path, text, **environ)
    assert found.models == {"m": ModelConfig(api_key_env="MY_KEY")}
    assert found.found_keys == {}
    assert found.left_out == (() if "keys" in value else ("keys: spotui has no such section.",))


def test_anchors_and_merge_keys_are_carried_out(tmp_path: Path) -> None:
    text = f"""\
defaults: &all {{api_type: openai, base_url: https://one.example/v1, api_key: {KEY}}}
slow: &slow {{timeout: 900, base_url: https://slow.example/v1}}
models:
  a: *all
  b: {{<<: *all, base_url: https://two.example/v1}}
  c:
    <<: [*all, *slow]
"""
    found = imported(tmp_path, text)
    assert found.models == {
        "a": ModelConfig(base_url="https://one.example/v1"),
        "b": ModelConfig(base_url="https://two.example/v1"),
        "c": ModelConfig(base_url="https://one.example/v1", timeout=900),
    }
    assert set(found.found_keys) == {"a", "b", "c"}
    with pytest.raises(SettingsError, match=r"line 1: A merge key .* names no mapping"):
        imported(tmp_path, "models: {m: {<<: text}}")


def test_models_of_single_roles_and_of_embeddings_are_taken(tmp_path: Path) -> None:
    listed = """\
llm: {model: main, base_url: https://one.example/v1}
roles:
  - role: ProductManager
    llm: {api_type: openai, model: big, base_url: "${llm.base_url}"}
  - role: Architect
    llm: ${llm}
embedding: {api_type: openai, model: text-embedding-3-small, base_url: https://e.example/v1}
"""
    found = imported(tmp_path, listed)
    assert {model: entry.base_url for model, entry in found.models.items()} == {
        "main": "https://one.example/v1",
        "big": "https://one.example/v1",
        "text-embedding-3-small": "https://e.example/v1",
    }
    assert found.left_out == ()
    named = "roles: {optimizer: {model: o}, executor: {llm: {model: x}}, evaluator: {temperature: 0}}"
    found = imported(tmp_path, named)
    assert set(found.models) == {"o", "x"}
    assert "roles.evaluator: it names no model." in found.left_out


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("${llm.base_ur}", r"\$\{llm.base_ur\} is not in the file. Did you mean \$\{llm.base_url\}\?"),
        ("${gone.base_url}", r"\$\{gone.base_url\} is not in the file."),
        ("https://${NO_HOST}/v1", r"\$\{NO_HOST\} is not in the file, nor is it set .* Set NO_HOST"),
        ("$NO_URL", r"\$NO_URL is not in the file, nor is it set in the environment. Set NO_URL"),
        ("${oc.env:NO_URL}", "Set NO_URL"),
        ("${models.m.base_url}", "leads back to itself"),
        ("${circle.a}", "leads back to itself"),
        ("${growing.a}", "leads back to itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error_that_names_it(
    value: str, said: str, tmp_path: Path
) -> None:
    text = f"""\
circle: {{a: "${{circle.b}}", b: "x${{circle.a}}"}}
growing: {{a: "${{growing.a}}${{growing.a}}"}}
llm: {{model: main, base_url: https://one.example/v1, api_key: {KEY}}}
models: {{m: {{base_url: "{value}"}}}}
"""
    with pytest.raises(SettingsError, match=said) as caught:
        imported(tmp_path, text)
    assert "config2.yaml, models.m.base_url: " in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_reference_in_a_section_that_is_not_taken_harms_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, "llm: {model: m}\nsearch: {api_key: '${NOWHERE}'}\n")
    assert found == ReferenceImport({"m": ModelConfig()}, {}, ("search: spotui has no such section.",))
