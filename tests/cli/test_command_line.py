"""The command line as a whole: help, wrong usage, exit codes, output that cannot be written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spotui.cli import VERBS, exit_codes, parsers_of
from spotui.domain.errors import nearest
from spotui.domain.version import VERSION
from spotui.settings.table import SETTINGS, Group, option
from tests.cli.conftest import Shell
from tests.command_line import places


def test_help_names_every_verb_and_every_exit_code(shell: Shell) -> None:
    said = shell("--help")
    assert said.code == 0
    assert [verb for verb in VERBS if not re.search(rf"^    {verb} ", said.out, re.MULTILINE)] == []
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    listed = said.out.partition("exit codes:")[2]
    assert {int(number) for number in re.findall(r"^  (\d+)", listed, re.MULTILINE)} == codes


def test_no_verb_at_all_shows_the_help(shell: Shell) -> None:
    assert shell() == shell("--help")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(shell: Shell, verb: str) -> None:
    said = shell(verb, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: spotui {verb} ")
    assert len(said.out.partition("\n\n")[0].splitlines()) <= 8  # of many flags, the list below is enough


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out.startswith(f"spotui {VERSION} (Python 3.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frob"], "Unknown command 'frob'"),
        (["exprt"], "'export'"),
        (["run", "poem", "--frob"], "--frob"),
        (["run"], "Which template?"),
        (["run", "poem", "--template", "navigate"], "Two templates"),
        (["run", "poem", "--initial-round", "0"], "--initial-round"),
        (["run", "poem", "--model", "m", "--max-rounds", "many"], "--max-rounds"),
        (["run", "poem", "--model", "m", "--opt-temp", "9"], "--opt-temp"),
        (["estimate", "poem", "--judge", "me"], "--judge"),
        (["export", "why", "--format", "pdf"], "--format"),
        (["replay", "why", "--speed", "-1"], "speed"),
        (["attach", "why", "--send", "frob"], "'frob'"),
        (["test", "why", " "], "question is empty"),
        (["models"], "WHAT"),
        (["diff"], "NAME"),
    ],
)
@pytest.mark.usefixtures("workspace")
def test_wrong_usage_has_a_code_of_its_own_and_says_what_is_wrong(
    shell: Shell, words: list[str], told: str
) -> None:
    said = shell(*words)
    assert said.code == exit_codes.USAGE
    assert told in said.err
    assert said.err.startswith("spotui: ")
    assert said.out == ""


def test_a_run_that_cannot_be_begun_leaves_no_project(shell: Shell) -> None:
    shell("run", "poem", "--model", "m", "--max-rounds", "many")
    assert shell("list", "--json").out == ""


@pytest.mark.parametrize("verb", ["show", "diff", "best", "export", "resume", "attach", "branch", "replay"])
def test_a_project_that_is_not_there_is_an_error_that_names_the_nearest(
    shell: Shell, workspace: Path, verb: str
) -> None:
    said = shell(verb, "wy")
    assert said.code == exit_codes.FAILED
    assert "There is no project 'wy'" in said.err
    assert "Did you mean 'why'?" in said.err
    assert said.out == ""


def run_into(pipe: str, *words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = f"{sys.executable} -m spotui {' '.join(words)} {pipe}"
    return subprocess.run(
        ["bash", "-c", command], check=False, env=places(home), capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.usefixtures("workspace")
def test_an_output_that_is_full_is_an_error_in_one_line(home: Path) -> None:
    done = run_into("> /dev/full", "best", "why", home=home)
    assert done.returncode == exit_codes.FAILED
    assert done.stderr == "spotui: The output cannot be read or written: No space left on device.\n"


@pytest.mark.usefixtures("workspace")
def test_a_reader_that_leaves_early_is_no_error(home: Path) -> None:
    done = run_into("| true; exit ${PIPESTATUS[0]}", "export", "why", "--format", "json", home=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_a_character_shows_something_else(workspace: Path, home: Path) -> None:
    for path in (workspace / "why").glob("journal.jsonl"):
        path.write_text(path.read_text().replace("Answer the question.", "Réponds à la question…"))
    command = [sys.executable, "-m", "spotui", "show", "why", "1"]
    env = places(home, PYTHONIOENCODING="ascii")
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "R?ponds ? la question?" in done.stdout


FLAGS_OF_GROUPS = {
    option(next(one for one in SETTINGS if one.group == group).flags[0]): group for group in Group
}
VERBS_OF_GROUPS = {
    "run": set(Group),
    "estimate": {*Group} - {Group.TRACKING},
    "branch": set(Group),
    "doctor": set(Group),
    "race": {*Group} - {Group.FINAL_CHECK},
    "sweep": {*Group} - {Group.FINAL_CHECK, Group.SEED},
    "migrate": {*Group} - {Group.FINAL_CHECK},
    "headroom": {*Group} - {Group.ROUNDS, Group.FINAL_CHECK, Group.TRACKING},
    "judge-check": {*Group} - {Group.ROUNDS, Group.FINAL_CHECK, Group.TRACKING},
    "score": {
        *(Group.PROMPT, Group.SEED, Group.BUDGET, Group.CALLS, Group.BATCHES, Group.MODELS),
        *(Group.EVALUATOR, Group.EXECUTOR, Group.TRACKING),
    },
    "rows": {Group.BUDGET, Group.CALLS, Group.MODELS, Group.OPTIMIZER},
    "prune": {Group.BUDGET, Group.CALLS},
    "resume": {Group.ROUNDS, Group.BUDGET, Group.CALLS, Group.TRACKING},
    "test": {Group.BUDGET},
}


@pytest.mark.parametrize(("number", "verb"), list(enumerate(VERBS)))
def test_a_verb_takes_the_settings_that_it_uses_and_names_the_verb_of_others(
    shell: Shell, number: int, verb: str
) -> None:
    taken = VERBS_OF_GROUPS.get(verb, set())
    told = shell(verb, "--help").out
    for flag, group in FLAGS_OF_GROUPS.items():
        assert bool(re.search(rf"^  {flag}[ ,]", told, re.MULTILINE)) == (group in taken), flag
    refused = [flag for flag, group in FLAGS_OF_GROUPS.items() if group not in taken]
    if refused and verb != "models":
        flag = refused[number % len(refused)]  # each verb another one: they all go the same way
        said = shell(verb, "a", flag, "1")
        assert said.code == exit_codes.USAGE
        assert said.err.splitlines() == [
            f"spotui: 'spotui {verb}' does not take {flag}.",
            "        'spotui run' takes it.",
        ]


def test_a_flag_in_the_plural_is_offered_for_that_of_another_verb(shell: Shell) -> None:
    said = shell("race", "poem", "--method", "gpo")
    assert "'spotui race' does not take --method." in said.err
    assert "Did you mean --methods?" in said.err


def test_a_verb_below_another_is_named_with_it(shell: Shell) -> None:
    said = shell("models", "add", "mine", "--max-rounds", "3")
    assert said.code == exit_codes.USAGE
    assert "'spotui models add' does not take --max-rounds." in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "poem", "--max-round", "3"], "Did you mean --max-rounds?"),
        (["models", "add", "m", "--bas-url=x"], "Did you mean --base-url?"),
        (["judge-check", "poem", "--patiense", "1"], "Did you mean --patience? 'spotui run' takes it."),
        (["list", "--qqq"], "'spotui list --help' lists its flags."),
        (["list", "-q"], "'spotui list --help' lists its flags."),
    ],
)
def test_an_unknown_flag_is_refused_with_the_nearest(shell: Shell, words: list[str], told: str) -> None:
    said = shell(*words)
    assert said.code == exit_codes.USAGE
    assert "Unknown flag -" in said.err
    assert told in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["export", "x", "--to", "promptfo"], ("--to/--format does not take ", "Did you mean promptfoo?")),
        (["models", "lst"], ("WHAT does not take ", "Did you mean list?")),
        (["export", "x", "--to", "qqq"], ("nvalid choice", "'spotui export --help' lists its arguments.")),
    ],
)
def test_an_unknown_value_is_refused_with_the_nearest(
    shell: Shell, words: list[str], told: tuple[str, str]
) -> None:
    said = shell(*words)
    assert said.code == exit_codes.USAGE
    assert all(one in said.err for one in told)


def test_every_flag_with_a_letter_less_is_recognized(shell: Shell) -> None:
    flags = [option(setting.flags[0]) for setting in SETTINGS]
    (parser,) = parsers_of("run")
    names = [name.removeprefix("--") for name in parser.flags()]
    assert [f"--{nearest(flag[2:-2] + flag[-1], names)}" for flag in flags] == flags
    for flag in flags[::10]:
        said = shell("run", "poem", flag[:-2] + flag[-1])
        assert f"Did you mean {flag}?" in said.err


def test_what_looks_like_a_flag_may_be_an_argument(shell: Shell) -> None:
    said = shell("test", "nobody", "--what is this?")
    assert "There is no project 'nobody'" in said.err
    assert "There is no project 'nobody'" in shell("test", "nobody", "--", "--what").err


def test_a_key_among_the_arguments_is_not_shown(shell: Shell) -> None:
    said = shell("list", "sk-live-0123456789abcdef")
    assert said.code == exit_codes.USAGE
    assert "0123456789" not in said.err


@pytest.mark.usefixtures("workspace")
def test_the_settings_are_listed_with_their_sources(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_SAMPLE", "4")
    monkeypatch.setenv("SPOTUI_SAMPEL", "4")
    monkeypatch.setenv("SPOTUI_CONFIG", str(home / "config.yaml"))
    (home / "config.yaml").write_text("run:\n  max_rounds: 7\n", encoding="utf-8")
    said = shell("settings")
    assert said.code == exit_codes.OK
    lines = [line.split() for line in said.out.splitlines() if line.startswith("  ")]
    assert [line[0] for line in lines] == [setting.key for setting in SETTINGS]
    assert ["run.max_rounds", "7", "config", "line", "2"] in lines
    assert ["run.sample", "4", "environment", "SPOTUI_SAMPLE"] in lines
    assert said.err == "spotui: Unknown variable SPOTUI_SAMPEL. Did you mean SPOTUI_SAMPLE?\n"
    doctor = shell("doctor", "--patience", "3").out
    assert "run.patience: 3 (flag --patience)" in doctor
    assert "run.max_rounds: 7 (config line 2)" in doctor


@pytest.mark.real_interpreter
def test_streams_that_were_closed_lead_nowhere_and_into_no_file(template: str, home: Path) -> None:
    command = f"exec {sys.executable} -m spotui run {template} --model m --max-rounds 1 <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == exit_codes.NO_IMPROVEMENT
    lines = (home / "data" / "workspace" / "why" / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines][-1] == "stop"
