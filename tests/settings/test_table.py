"""Every line of the table is a setting everywhere: flag, variable, config key, bounds; and so is one more."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from spotui.settings import values
from spotui.settings.config_file import parse_config
from spotui.settings.errors import SettingsError
from spotui.settings.resolve import Flags, Resolution, resolve, template_roles
from spotui.settings.table import (
    LIMITS,
    SETTINGS,
    Setting,
    check_limits,
    option,
    text_of,
    value_at,
)
from spotui.settings.values import InvalidSettingError
from tests.command_line import ROOT, Outcome, places, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing


def each(settings: Iterable[Setting]) -> pytest.MarkDecorator:
    """Make a test of every one of them."""
    return pytest.mark.parametrize("setting", list(settings), ids=lambda setting: setting.key)


SAMPLES: dict[object, tuple[str, str]] = {
    values.ModelId: ("some/model", "two words"),
    values.ModelIds: ("a/b, c", "a,,b"),
    values.BatchRoles: ("executor,evaluator", "judge"),
    values.BaseUrl: ("http://127.0.0.1:9/v1", "localhost"),
    values.Command: ("python agent.py", 'python "agent.py'),
    values.JsonObject: ('{"top_p":0.9}', "top_p=0.9"),
    values.Headers: ('{"X-Team":"a"}', "X-Team=a"),
    values.PromptPosition: ("system", "sistem"),
    values.RacingMode: ("halving", "half"),
    values.PreferMode: ("cheaper", "cheap"),
    values.TrackerNames: ("mlflow,wandb", "a,,b"),
    values.UnitMode: ("row", "rows"),
    values.JudgeMode: ("reference", "referee"),
    values.CopyMode: ("allowed", "maybe"),
}
"""For kinds of text: one that they take, and one that they refuse."""


def sample(setting: Setting) -> tuple[str, str]:
    """A text that a setting takes and that is not its default, and one that it refuses."""
    if values.base(setting.kind) is bool:
        return ("true" if setting.default is False else "false"), "perhaps"
    return next((SAMPLES[kind] for kind in values.members(setting.kind) if kind in SAMPLES), ("2", "-1"))


def in_config(setting: Setting, text: str) -> str:
    """A config file that sets one setting, on its last line."""
    keys = [f"{'  ' * depth}{key}:" for depth, key in enumerate(setting.path)]
    return "\n".join([*keys[:-1], f"{keys[-1]} {text}"])


def settled(
    flags: Flags | None = None, environ: dict[str, str] | None = None, config: str = ""
) -> Resolution:
    return resolve(flags or Flags(), environ or {}, {}, parse_config(config, Path("config.yaml")))


@each(SETTINGS)
def test_a_setting_comes_from_its_flags_its_variables_and_its_config_key(setting: Setting) -> None:
    text, _ = sample(setting)
    found = {f"config line {len(setting.path)}": settled(config=in_config(setting, text))}
    for flag, variable in zip(setting.flags, setting.variables, strict=True):
        assert variable == f"SPOTUI_{flag.upper()}"
        found[f"flag {option(flag)}"] = settled(Flags(**{flag: text}))
        found[f"environment {variable}"] = settled(environ={variable: text})
    usual = value_at(settled().settings, setting.path)
    for source, one in found.items():
        assert str(one.sources[setting.key]) == source
        assert text_of(value_at(one.settings, setting.path)) == text != text_of(usual)
        assert one.warnings == ()


@each(SETTINGS)
def test_a_wrong_value_is_refused_in_the_same_words_wherever_it_comes_from(setting: Setting) -> None:
    _, text = sample(setting)
    said = []
    for flags, environ, config, subject in (
        (Flags(**{setting.flags[0]: text}), {}, "", option(setting.flags[0])),
        (Flags(), {setting.variables[0]: text}, "", setting.variables[0]),
        (Flags(), {}, in_config(setting, text), f"config.yaml, line {len(setting.path)}: {setting.key}"),
    ):
        with pytest.raises(SettingsError) as caught:
            settled(flags, environ, config)
        assert caught.value.what.startswith(f"{subject} must ")
        said.append((caught.value.what.removeprefix(subject), caught.value.hint))
    assert said[0] == said[1] == said[2]


@each(setting for setting in SETTINGS if type(None) in values.members(setting.kind))
def test_none_lifts_a_limit_wherever_it_comes_from(setting: Setting) -> None:
    text, _ = sample(setting)
    lifted = settled(config=in_config(setting, "none"))
    assert lifted.settings == settled(config=in_config(setting, "null")).settings
    config = in_config(setting, text)
    assert settled(Flags(**{setting.flags[0]: "none"}), config=config).settings == lifted.settings
    assert settled(environ={setting.variables[0]: "none"}, config=config).settings == lifted.settings


@each(setting for setting in SETTINGS if setting.path[0] == "roles")
def test_a_template_sets_what_the_config_file_sets_of_a_role(setting: Setting) -> None:
    text, wrong = sample(setting)
    _, role, field = setting.path
    value = values.convert_text(setting.kind, text)
    assert template_roles({role: {field: value}}) == {setting.key: value}
    with pytest.raises(SettingsError, match=rf"models\.{role}\.{field} must "):
        template_roles({role: {field: wrong}})


def test_the_limits_of_a_running_run_have_the_bounds_of_their_settings() -> None:
    for name, setting in LIMITS.items():
        check_limits({name: 2})
        with pytest.raises(InvalidSettingError, match=f"^{name} must be .*, not -1"):
            check_limits({name: -1})
        assert settled(Flags(**{setting.flags[0]: 2})).settings.limits[name] == 2


LINE = '    max_words: Annotated[Count | None, Setting("words of a prompt at most", Group.ROUNDS)] = None\n'
MARK = "    unused: tuple[Role, ...] = ()\n"
WITH_LINE = f"""
import importlib.util, sys
spec = importlib.util.find_spec("spotui.settings.table")
text = open(spec.origin).read()
assert text.count({MARK!r}) == 1
module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
exec(compile(text.replace({MARK!r}, {LINE + MARK!r}), spec.origin, "exec"), vars(module))
"""
"""Puts one more line into the table, as an editor would, before anything else is imported."""


def with_line(folder: Path, code: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code with one more setting in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", WITH_LINE + code, *words],
        cwd=ROOT,
        env={**places(folder), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


COMMANDS = """
import contextlib, io, json, os
from spotui.cli import main
outcomes = []
for words, variables in json.loads(sys.argv[1]):
    before = dict(os.environ)
    os.environ.update(variables)
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as error:
            code = error.code
    outcomes.append([code, *(stream.buffer.getvalue().decode() for stream in (out, err))])
    os.environ.clear()
    os.environ.update(before)
print(json.dumps(outcomes))
"""


def commands_with_line(folder: Path, *commands: tuple[list[str], dict[str, str]]) -> list[Outcome]:
    """Run commands, each with its variables, one after the other in a process with one more setting."""
    done = with_line(folder, COMMANDS, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return [Outcome(*outcome) for outcome in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as model:
        yield model


def test_one_more_line_reaches_the_run(server: ModelServer, tmp_path: Path) -> None:
    words = ["run", write_template(tmp_path), "--model", "m", "--base-url", server.base_url]
    words += ["--max-rounds", "1", "--plain", "--no-final-check"]
    config = tmp_path / "config.yaml"
    config.write_text("run: {max_words: 9}\n", encoding="utf-8")
    done = commands_with_line(
        tmp_path,
        ([*words, "--name", "flag", "--max-words=7"], {}),
        ([*words, "--name", "variable"], {"SPOTUI_MAX_WORDS": "8"}),
        ([*words, "--name", "config"], {"SPOTUI_CONFIG": str(config)}),
    )
    stored = {path.parent.name: path.read_text(encoding="utf-8") for path in tmp_path.rglob("run.yaml")}
    for name, value, one in zip(("flag", "variable", "config"), (7, 8, 9), done, strict=True):
        assert one.code in (0, 3), one.err
        assert f"max_words: {value}" in stored[name]


def test_one_more_line_is_in_the_lists_of_settings_with_its_bounds(tmp_path: Path) -> None:
    listed, helped = commands_with_line(
        tmp_path, (["settings", "--json"], {"SPOTUI_MAX_WORDS": "9"}), (["run", "--help"], {})
    )
    assert json.loads(listed.out)["run.max_words"] == {
        "value": 9,
        "source": "environment SPOTUI_MAX_WORDS",
        "group": "rounds",
        "flags": ["--max-words"],
        "variables": ["SPOTUI_MAX_WORDS"],
        "takes": "a whole number from 1 to 10000, or none",
        "default": "none",
        "help": "words of a prompt at most",
        "during_run": False,
    }
    assert "--max-words N" in helped.out
    page = with_line(tmp_path, "sys.path.insert(0, 'docs')\nimport write_settings as w\nprint(w.document())")
    assert "| `run.max_words` | `--max-words` | `SPOTUI_MAX_WORDS` | a whole number from 1" in page.stdout


def test_one_more_line_is_on_the_settings_screen(tmp_path: Path) -> None:
    code = """
import asyncio
from textual.app import App
from spotui.tui.settings_screen import SettingsScreen
async def main():
    async with App().run_test() as pilot:
        await pilot.app.push_screen(SettingsScreen())
        await pilot.pause()
        print(pilot.app.screen.query_one("#default-run-max_words").render())
asyncio.run(main())
"""
    assert with_line(tmp_path, code).stdout.startswith("Max words ")


def test_one_more_line_is_refused_by_verbs_without_its_group_and_has_bounds(tmp_path: Path) -> None:
    refused, wrong, misspelt = commands_with_line(
        tmp_path,
        (["judge-check", "poem", "--estimate", "--max-words=7"], {}),
        (["estimate", "poem", "--max-words=0"], {}),
        (["run", "poem", "--max-wrods=7"], {}),
    )
    assert refused.code == 2
    assert "'spotui judge-check' does not take --max-words." in refused.err
    assert "'spotui run' takes it." in refused.err
    assert wrong.code == 2
    assert "--max-words must be a whole number from 1 to 10000, or none, not 0." in wrong.err
    assert "Did you mean --max-words?" in misspelt.err
