"""Which program is the executor, what it is called, and which yes is for it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from spotui.settings import locations
from spotui.settings.config_file import parse_config
from spotui.settings.programs import Program, agree, is_agreed, program_name, program_of
from spotui.settings.resolve import Flags, resolve, template_roles
from spotui.settings.table import ProgramSettings
from spotui.settings.trust import VARIABLE
from tests.command_line import move_in

AGENT = {"executor": {"command": ["python", "my agent.py"]}}
SITE = {"executor": {"url": "http://localhost:8000/answer"}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "environ", "template", "config", "model"),
    [
        ({}, {}, AGENT, "", "program/my-agent.py"),
        ({}, {}, SITE, "", "program/localhost:8000/answer"),
        (
            {"model": "m"},
            {"SPOTUI_MODEL": "m"},
            AGENT,
            "roles: {executor: {model: m}}",
            "program/my-agent.py",
        ),
        ({"exec_model": "m"}, {}, AGENT, "", "m"),
        ({}, {"SPOTUI_EXEC_MODEL": "m"}, AGENT, "", "m"),
        ({"exec_command": "./b"}, {}, SITE, "", "program/b"),
        ({"exec_url": "http://b/c?d=1"}, {}, AGENT, "", "program/b/c"),
        ({}, {"SPOTUI_EXEC_COMMAND": "b.sh -x"}, AGENT, "", "program/b.sh"),
        ({}, {}, {"executor": "m"}, "program: {command: [python, c.py]}", "m"),
        ({}, {}, {}, "program: {command: [python, c.py]}", "program/c.py"),
        ({"model": "m"}, {}, {}, "program: {url: none}", "m"),
    ],
)
def test_a_program_or_a_model_is_the_executor_whichever_takes_precedence(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    template: Mapping[str, object],
    config: str,
    model: str,
) -> None:
    found = resolve(Flags(**flags), environ, template_roles(template), parse_config(config, Path("c.yaml")))
    settings = found.settings
    assert settings.roles.executor.model == model
    assert bool(settings.program.command or settings.program.url) == model.startswith("program/")
    assert settings.roles.executor.timeout == 120
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python agent.py", "agent.py"),
        ("python -u /a/b/agent.py --top-k 3", "agent.py"),
        ("python -m my.agent", "my.agent"),
        ("uv run agent.py", "agent.py"),
        ("./agent", "agent"),
        ("node index.js", "index.js"),
        ("agent", "agent"),
    ],
)
def test_a_program_is_called_by_the_file_that_it_runs(command: str, name: str) -> None:
    assert program_name(command, "") == name


def test_a_yes_is_for_the_command_and_the_files_of_its_folder_as_they_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, outside = home / "mine", home / "other.txt"
    (folder / "package").mkdir(parents=True)
    outside.write_text("1")
    for name in ("agent.py", "prompt.txt", "package/__main__.py"):
        (folder / name).write_text("1")
    words = ("python", "agent.py", "--prompt=prompt.txt", str(outside), "none.py", "\0", "package")
    program = Program(words, folder)
    assert [path.name for path in program.files] == ["agent.py", "prompt.txt"]
    assert program.location == str(folder / "agent.py")
    assert not is_agreed(program)
    agree(program)
    assert is_agreed(program)
    assert not is_agreed(Program((*words, "--fast"), folder))
    for name in ("prompt.txt", "agent.py"):
        (folder / name).write_text("2")
        assert not is_agreed(program), name
        (folder / name).write_text("1")
        assert is_agreed(program)
    outside.write_text("2")
    assert is_agreed(program)
    monkeypatch.setenv(VARIABLE, str(folder / "agent.py"))
    (folder / "agent.py").write_text("3")
    assert is_agreed(program), "the variable names the file, whatever it holds"

    module = Program(("python", "-m", "package"), folder)
    assert [path.name for path in module.files] == ["__main__.py"]
    nameless = Program(("curl", "-d", "@-", "localhost"), folder)
    assert (nameless.files, nameless.location) == ((), str(folder))
    site = program_of(ProgramSettings(url="http://localhost:8000/answer"))
    assert site is not None
    assert not is_agreed(site)
    agree(site)
    assert is_agreed(site)
    assert not is_agreed(Program(url="http://localhost:8000/other"))
    assert "http://localhost:8000/answer" in locations.trusted_file().read_text()
    assert program_of(ProgramSettings()) is None
