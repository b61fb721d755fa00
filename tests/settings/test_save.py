"""Saving into the config file: every other character stays, and nothing is ever lost."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from spotui.settings.config_file import ModelConfig, PriceConfig, load_config
from spotui.settings.errors import SettingsError
from spotui.settings.save import (
    put_back_model,
    save_default,
    save_defaults,
    save_model,
    take_out_model,
)

FILE = """\
# my settings
roles:   # who does what
    optimizer: {model: gpt-4o, temperature: 0.7}   # the good one
    evaluator:
        model: "gpt-4o-mini"  # cheap

# where they are
models:
    # the big one
    gpt-4o:
        base_url: "https://one.example/v1"   # ours
        timeout: 120   # long

    # the small one
    tiny:
        concurrency: 2   # two

# how long
run: {max_rounds: 10, sample: 3}   # short
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def changed_lines(path: Path, before: str = FILE) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came; all others stayed in their order."""
    import difflib

    lines = list(difflib.ndiff(before.splitlines(), path.read_text(encoding="utf-8").splitlines()))
    gone = [line[2:] for line in lines if line.startswith("- ")]
    return gone, [line[2:] for line in lines if line.startswith("+ ")]


def test_the_first_thing_saved_makes_the_folder_and_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "spotui" / "config.yaml"
    old = os.umask(0)
    try:
        save_model("gpt-4o", ModelConfig(api_key_env="MY_KEY", timeout=9), path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == "models:\n  gpt-4o:\n    api_key_env: MY_KEY\n    timeout: 9\n"


def test_a_file_that_others_could_read_becomes_private(path: Path) -> None:
    path.chmod(0o644)
    save_default("theme", "nord", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_value_changes_one_line(path: Path) -> None:
    save_default("run.max_rounds", 4, path)
    assert changed_lines(path) == (
        ["run: {max_rounds: 10, sample: 3}   # short"],
        ["run: {max_rounds: 4, sample: 3}   # short"],
    )


def test_a_role_changes_only_in_the_fields_that_are_given(path: Path) -> None:
    save_default("roles.evaluator.temperature", 0.5, path)
    save_defaults({"roles.optimizer.model": "o3", "roles.optimizer.temperature": None}, path)
    settings = load_config(path).config.settings
    assert settings["roles.evaluator.model"] == "gpt-4o-mini"
    assert settings["roles.evaluator.temperature"] == 0.5
    assert settings["roles.optimizer.model"] == "o3"
    assert settings["roles.optimizer.temperature"] is None
    gone, come = changed_lines(path)
    assert gone == ["    optimizer: {model: gpt-4o, temperature: 0.7}   # the good one"]
    assert come[0] == "    optimizer: {model: o3, temperature: null}   # the good one"
    assert come[1:] == ["        temperature: 0.5"]


def test_a_new_model_stands_with_the_others_and_moves_no_comment(path: Path) -> None:
    save_model("ollama/llama3:8b", ModelConfig(price=PriceConfig(input=0, output=0)), path)
    gone, come = changed_lines(path)
    assert gone == []
    assert len(come) == 4
    text = path.read_text()
    assert text.index("# two") < text.index("llama3:8b") < text.index("# how long")
    assert load_config(path).config.models["ollama/llama3:8b"].price == PriceConfig(input=0, output=0)


def test_replacing_a_model_replaces_all_of_it_and_keeps_its_comments(path: Path) -> None:
    save_model("gpt-4o", ModelConfig(base_url="https://two.example/v1", concurrency=4), path)
    entry = load_config(path).config.models["gpt-4o"]
    assert entry == ModelConfig(base_url="https://two.example/v1", concurrency=4)
    gone, come = changed_lines(path)
    assert len(gone) == len(come) == 2
    assert '        base_url: "https://two.example/v1"   # ours' in come


def test_removing_a_model_leaves_the_comments_of_its_neighbours(path: Path) -> None:
    assert take_out_model("gpt-4o", path)
    assert "gpt-4o" not in load_config(path).config.models
    gone, come = changed_lines(path)
    assert [line.strip().partition(":")[0] for line in gone] == ["gpt-4o", "base_url", "timeout"]
    assert come == []
    assert take_out_model("tiny", path)
    assert load_config(path).config.models == {}
    save_model("again", ModelConfig(timeout=3), path)
    assert list(load_config(path).config.models) == ["again"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_model_that_is_put_back_stands_as_it_stood(path: Path, end: str) -> None:
    before = path.read_text().replace("\n", end).encode()
    path.write_bytes(before)
    models = load_config(path).config.models
    taken = [take_out_model(model, path) for model in models]
    assert load_config(path).config.models == {}
    for removed in reversed(taken):
        assert removed is not None
        put_back_model(removed, path)
    assert path.read_bytes() == before
    assert take_out_model("nobody", path) is None


def test_a_model_is_put_back_with_its_comments_where_the_file_was_changed_meanwhile(path: Path) -> None:
    wanted = path.read_text().replace("temperature: 0.7", "temperature: 0.9")
    removed = take_out_model("gpt-4o", path)
    assert removed is not None
    path.write_text(path.read_text().replace("temperature: 0.7", "temperature: 0.9"))
    put_back_model(removed, path)
    assert path.read_text() == wanted


def test_a_model_is_put_back_where_nothing_is_as_it_was(path: Path) -> None:
    entry = load_config(path).config.models["gpt-4o"]
    removed = take_out_model("gpt-4o", path)
    assert removed is not None
    path.write_text("theme: moss\nmodels:\n  gpt-4o:\n    concurrency: 3\n")
    put_back_model(removed, path)
    config = load_config(path).config
    assert (config.theme, config.models) == ("moss", {"gpt-4o": entry})


def test_removing_what_is_not_there_changes_nothing(path: Path) -> None:
    before = path.stat()
    assert not take_out_model("nobody", path)
    assert not take_out_model("nobody", path.parent / "none.yaml")
    assert not (path.parent / "none.yaml").exists()
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_default_is_set_lifted_and_removed(path: Path) -> None:
    save_default("budget.usd", "1.5", path)
    assert load_config(path).config.settings["budget.usd"] == 1.5
    save_default("budget.usd", None, path)
    assert load_config(path).config.settings["budget.usd"] is None
    save_default("budget.usd", UNSET, path)
    assert "budget.usd" not in load_config(path).config.settings
    save_default("run.reference_answers", "no", path)
    assert load_config(path).config.settings["run.reference_answers"] is False


def test_windows_line_ends_stay(path: Path) -> None:
    path.write_bytes(FILE.replace("\n", "\r\n").encode())
    save_model("new", ModelConfig(timeout=3), path)
    save_default("run.sample", 5, path)
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > FILE.count("\n")


def test_a_linked_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    save_default("theme", "nord", link)
    assert link.is_symlink()
    assert load_config(path).config.theme == "nord"


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment", "---\n", "{}", "models:\n", "models: # here\n  # below\n", "{models: {}}"],
)
def test_sparse_files_grow(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    save_model("a", ModelConfig(timeout=3), path)
    save_model("b", ModelConfig(), path)
    save_default("roles.executor.model", "a", path)
    config = load_config(path).config
    assert config.models == {"a": ModelConfig(timeout=3), "b": ModelConfig()}
    assert config.settings["roles.executor.model"] == "a"
    for comment in ("# only a comment", "# here", "# below"):
        assert (comment in text) == (comment in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "change",
    [
        lambda path: save_default("run.max_rounds", "many", path),
        lambda path: save_default("run.max_round", 3, path),
        lambda path: save_default("base_url", "http://localhost/v1", path),
        lambda path: save_defaults({"run.seed": 4, "run.sample": 0}, path),
        lambda path: save_default("theme", None, path),
        lambda path: save_model("a b", ModelConfig(), path),
        lambda path: save_model("a", ModelConfig(timeout=-1), path),
        lambda path: save_model("a", ModelConfig(api_key_env="sk-live-0123456789"), path),
        lambda path: save_model("a", ModelConfig(base_url="localhost"), path),
        lambda path: save_default("roles.executor.temperature", 9, path),
    ],
)
def test_a_wrong_value_is_refused_and_the_file_is_untouched(
    change: Callable[[Path], object], path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        change(path)
    assert "sk-live" not in str(caught.value)
    assert path.read_text(encoding="utf-8") == FILE


def test_the_nearest_default_is_named(path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        save_default("run.max_round", 3, path)
    assert caught.value.hint == "Did you mean run.max_rounds?"


@pytest.mark.parametrize("text", ["theme: [", "theem: nord\n", "models: {a: {api_key: sk-x}}\n"])
def test_a_broken_file_is_never_overwritten(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        save_default("theme", "nord", path)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "text",
    [
        "roles:\n  evaluator: &one {model: a}\n  executor: *one\n",
        "? roles\n",
        "roles:\n  evaluator: {model: a}\n  executor: &one {model: b}\n  optimizer: *one\n",
    ],
)
def test_what_is_written_in_an_odd_way_is_left_to_the_user(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"roles\.executor\.model"):
        save_default("roles.executor.model", "new", path)
    assert path.read_text(encoding="utf-8") == text


def test_an_anchor_or_alias_that_is_replaced_as_a_whole_is_fine(path: Path) -> None:
    path.write_text("models:\n  a: &one {timeout: 3}\n  b: *one\n  c: &two {timeout: 4}\n", encoding="utf-8")
    save_model("b", ModelConfig(concurrency=2), path)
    save_model("c", ModelConfig(timeout=5), path)
    assert load_config(path).config.models == {
        "a": ModelConfig(timeout=3),
        "b": ModelConfig(concurrency=2),
        "c": ModelConfig(timeout=5),
    }


def test_removing_what_an_alias_needs_is_refused(path: Path) -> None:
    text = "models:\n  a: &one {timeout: 3}\n  b: *one\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"models\.a"):
        take_out_model("a", path)
    assert path.read_text(encoding="utf-8") == text


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        save_default("theme", "nord", tmp_path / "file" / "config.yaml")
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_two_processes_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    code = (
        "import sys; from pathlib import Path; from spotui.settings.save import save_model\n"
        "from spotui.settings.config_file import ModelConfig\n"
        "for n in range(15): save_model(f'{sys.argv[1]}-{n}', ModelConfig(), Path(sys.argv[2]))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, name, str(path)]) for name in ("a", "b")]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    assert len(load_config(path).config.models) == 30
    assert sorted(child.name for child in tmp_path.iterdir()) == [".config.yaml.lock", "config.yaml"]


MODEL_IDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=MODEL_IDS, timeout=st.floats(0.001, 1000), keep=st.booleans())
def test_any_model_id_comes_back_as_it_was(model: str, timeout: float, keep: bool, path: Path) -> None:
    path.write_text(FILE, encoding="utf-8")
    before = load_config(path).config
    save_model(model, ModelConfig(timeout=timeout), path)
    assert load_config(path).config.models[model].timeout == timeout
    if not keep:
        take_out_model(model, path)
        assert load_config(path).config.models == {
            name: entry for name, entry in before.models.items() if name != model
        }
        if model not in before.models:
            assert path.read_text(encoding="utf-8") == FILE
