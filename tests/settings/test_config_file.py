"""The config file: what it may say, and that every mistake is told with its line and its hint."""

import os
from pathlib import Path

import pytest

from spotui.settings.config_file import Config, ModelConfig, PriceConfig, load_config, parse_config
from spotui.settings.errors import SettingsError

TEMPERATURE = "a number from 0 to 2, or none"
JUDGES = "one of auto, balanced, thorough, reference, likelihood, logprob"
SECRET = "sk-live-0123456789abcdef0123456789abcdef"

WHOLE = """\
roles:
  optimizer: {model: gpt-4o, temperature: 0.7, max_tokens: 4000, timeout: 90}
  evaluator: {model: gpt-4o-mini}
  executor:
    model: local/qwen2.5-coder-1.5b
    temperature: null
models:
  gpt-4o:
    base_url: https://models.example.com/v1
    api_key_env: MY_KEY
    timeout: 120
    concurrency: 8
    requests_per_minute: 500
    tokens_per_minute: 200000
    price: {input: 2.5, output: 10}
  ollama/llama3:8b:
    api_key_keyring: true
run: {max_rounds: 12, sample: 4, judge: reference, reference_answers: false, seed: 7}
budget: {usd: 1.5, tokens: 1e6, calls: null, minutes: 30}
retry: {tries: null, seconds: null}
theme: nord
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_config(write(folder, text))
    return [f"{one.where.rpartition('/')[2]}: {one.what} {one.hint}".strip() for one in caught.value.problems]


def test_every_setting_is_read(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, WHOLE)).config
    assert config.settings == {
        "roles.optimizer.model": "gpt-4o",
        "roles.optimizer.temperature": 0.7,
        "roles.optimizer.max_tokens": 4000,
        "roles.optimizer.timeout": 90,
        "roles.evaluator.model": "gpt-4o-mini",
        "roles.executor.model": "local/qwen2.5-coder-1.5b",
        "roles.executor.temperature": None,
        "run.max_rounds": 12,
        "run.sample": 4,
        "run.judge": "reference",
        "run.reference_answers": False,
        "run.seed": 7,
        "budget.usd": 1.5,
        "budget.tokens": 1_000_000,
        "budget.calls": None,
        "budget.minutes": 30,
        "retry.tries": None,
        "retry.seconds": None,
    }
    assert config.models["gpt-4o"] == ModelConfig(
        base_url="https://models.example.com/v1",
        api_key_env="MY_KEY",
        timeout=120,
        concurrency=8,
        requests_per_minute=500,
        tokens_per_minute=200000,
        price=PriceConfig(input=2.5, output=10),
    )
    assert config.models["ollama/llama3:8b"].api_key_keyring
    assert config.theme == "nord"


def test_a_missing_file_an_empty_one_and_empty_sections_say_nothing(tmp_path: Path) -> None:
    nothing = load_config(tmp_path / "none.yaml").config
    for text in ("", "# only a comment\n", "---\n", "roles:\nmodels:\nrun:\nbudget:\nretry:\n", "{}"):
        assert load_config(write(tmp_path, text)).config == nothing
    assert load_config(Path(os.devnull)).config == nothing
    assert nothing == Config()


def test_the_users_own_file_is_read_when_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_CONFIG", str(write(tmp_path, "theme: nord")))
    assert load_config().config.theme == "nord"


def test_a_value_knows_its_line(tmp_path: Path) -> None:
    file = load_config(write(tmp_path, WHOLE))
    assert file.lines[("roles", "optimizer", "model")] == 2
    assert file.lines[("roles", "executor", "model")] == 5
    assert file.lines[("models", "ollama/llama3:8b", "api_key_keyring")] == 17
    assert file.lines[("theme",)] == 21


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
theem: nord
roles:
  optimiser: {model: gpt-4o}
  evaluator: {temprature: 0.1, temperature: hot}
run:
  judge: balnced
  sample: 2.5
models:
  a: {price: {input: 1}}
  b: 3
"""
    assert mistakes(tmp_path, text) == [
        "config.yaml, line 1: theem is not a setting. Did you mean theme?",
        "config.yaml, line 3: roles.optimiser is not a setting. Did you mean optimizer?",
        "config.yaml, line 4: roles.evaluator.temprature is not a setting. Did you mean temperature?",
        f"config.yaml, line 4: roles.evaluator.temperature must be {TEMPERATURE}, not 'hot'.",
        f"config.yaml, line 6: run.judge must be {JUDGES}, not 'balnced'. Did you mean balanced?",
        "config.yaml, line 7: run.sample must be a whole number from 1 to 10000, not 2.5.",
        "config.yaml, line 9: models.a.price needs output. Add a line 'output: …' under it.",
        "config.yaml, line 10: models.b must be a mapping of settings, not 3.",
    ]


def test_one_mistake_is_one_sentence_with_the_file_and_its_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError) as caught:
        load_config(write(tmp_path, "run:\n  max_round: 3\n"))
    assert caught.value.what == "~/config.yaml, line 2: run.max_round is not a setting."
    assert caught.value.hint == "Did you mean max_rounds?"


@pytest.mark.parametrize(
    "line",
    [
        "roles: {executor: {temperature: -0.1}}",
        "roles: {executor: {temperature: 2.01}}",
        "roles: {executor: {temperature: .nan}}",
        "roles: {executor: {temperature: true}}",
        "roles: {executor: {max_tokens: 0}}",
        "roles: {executor: {timeout: 0}}",
        "roles: {executor: {timeout: .inf}}",
        "roles: {executor: {timeout: null}}",
        "roles: {executor: {model: null}}",
        "roles: {executor: {model: 4}}",
        "roles: {executor: {model: ''}}",
        "roles: {executor: {model: 'two words'}}",
        "roles: [executor]",
        "models: {a: {concurrency: 0}}",
        "models: {a: {concurrency: '8'}}",
        "models: {a: {requests_per_minute: -1}}",
        "models: {a: {price: {input: -1, output: 1}}}",
        "models: {a: {price: {input: .inf, output: 1}}}",
        "models: {a: {price: 3}}",
        "models: {a: {api_key_keyring: maybe}}",
        "models: {a: {timeout: [1]}}",
        "models: {'a b': {}}",
        "models: [a]",
        "run: {max_rounds: 0}",
        "run: {max_rounds: 99999999999999999999999999999999}",
        "run: {sample: null}",
        "run: {seed: -1}",
        "run: {reference_answers: 1}",
        "run: {judge: null}",
        "budget: {usd: 0}",
        "budget: {usd: -1}",
        "budget: {tokens: 1.5}",
        "retry: {tries: 0}",
        "theme: ''",
        'theme: "two\\nlines"',
    ],
)
def test_a_value_out_of_its_range_is_refused(line: str, tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, line + "\n")
    assert "must be" in mistake


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:8000/v1", "must be a URL"),
        ("ftp://host/v1", "must be a URL"),
        ("https://", "must be a URL"),
        ("http://[::1/v1", "must be a URL"),
        ("http://host:port/v1", "must be a URL"),
        ("http://ho st/v1", "must be a URL"),
        ("https://me:pass@host/v1", "must not hold a user name"),
        ("https://host/v1?key=1", "must not hold a key"),
        ("https://host/v1#part", "must end with its path"),
    ],
)
def test_a_base_url_that_is_none_or_holds_a_password_is_refused(
    url: str, reason: str, tmp_path: Path
) -> None:
    (mistake,) = mistakes(tmp_path, f'models: {{a: {{base_url: "{url}"}}}}')
    assert reason in mistake
    assert "pass" not in mistake.replace("password", "")


@pytest.mark.parametrize("name", ["api_key", "apikey", "API-Key", "key", "token", "authorization"])
def test_a_literal_key_is_refused_with_the_mend_and_never_shown(name: str, tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, f"models:\n  gpt-4o:\n    {name}: {SECRET}\n")
    assert "line 3" in mistake
    assert "api_key_env: ITS_NAME" in mistake
    assert "api_key_keyring" in mistake
    assert SECRET not in mistake


@pytest.mark.parametrize(
    "text",
    [
        f"models: {{a: {{api_key_env: {SECRET}}}}}",
        "models: {a: {api_key_env: 0123456789abcdef0123456789abcdef}}",
        "models: {a: {api_key_env: AbCdEfGhIjKlMnOpQrStUvWxYz}}",
        f"models: {{a: {{timeout: {SECRET}}}}}",
        f"models: {{a: {{{SECRET}: 1}}}}",
        f"models: {{a: {SECRET}}}",
        f"theme: [{SECRET}]",
        f"models: {SECRET}",
        f"{SECRET}",
    ],
)
def test_a_key_in_the_wrong_place_is_never_shown(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_config(write(tmp_path, text))
    shown = str(caught.value)
    for secret in (SECRET, "0123456789abcdef0123456789abcdef", "AbCdEfGhIjKlMnOpQrStUvWxYz"):
        assert secret not in shown


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00\x00",
        b"theme: \xff",
        b"theme: a\x00b",
        b"\x89PNG\r\n\x1a\n",
        b"a: b: c",
        b"roles: {",
        b"\troles: {}",
        b"theme: 'open",
        b"- a\n- b\n",
        b"just words",
        b"roles: &a {executor: *b}",
        b"roles: &a\n  executor: *a\n",
        b"theme: !!python/object/apply:os.system ['true']",
        b"theme: a\ntheme: b",
        b"theme: a\n---\ntheme: b",
        b"? [a]\n: b",
        b"1: 2",
        b"null: 2",
        b"<<: {theme: a}",
        b"{" * 2000,
        b"[" * 2000 + b"]" * 2000,
    ],
)
def test_hostile_yaml_is_an_error_and_not_a_crash(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        load_config(path)
    assert "config.yaml, line" in str(caught.value)


def test_an_alias_bomb_ends_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert mistakes(tmp_path, "\n".join(lines))


def test_what_is_no_readable_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a file"):
        load_config(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SettingsError, match="is not a file"):
        load_config(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_config(tmp_path / "loop")
    with pytest.raises(SettingsError, match="larger than 1 MB"):
        load_config(write(tmp_path, "#" * 1_000_001))


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    text = "\ufefftheme: nord\r\nrun:\r\n  sample: 4\r\n"
    file = parse_config(text, Path("config.yaml"))
    assert file.config.theme == "nord"
    assert file.lines[("run", "sample")] == 3


def test_a_role_may_reuse_another_by_alias() -> None:
    text = "roles:\n  evaluator: &small {model: gpt-4o-mini}\n  executor: *small\n"
    settings = parse_config(text, Path("config.yaml")).config.settings
    assert settings["roles.executor.model"] == "gpt-4o-mini"
