"""Data outside of the template's folder: named by check, and sent to a model only after a yes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.settings.trust import VARIABLE
from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import places
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template

SPLIT = "split: {train: 2, eval: 4, test: 4}"


@pytest.fixture
def download(home: Path) -> Iterator[tuple[Path, ModelServer]]:
    """A folder that came from somebody else, beside a file of the user's, and a model that adds."""
    folder = home / "download"
    (folder / ".cache").mkdir(parents=True)
    for path in (home / "own.jsonl", folder / "inside.jsonl", folder / ".cache" / "rows.jsonl"):
        path.write_text(rows(12))
    (folder / "link.jsonl").symlink_to(home / "own.jsonl")
    with ModelServer(racing) as server:
        yield folder, server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def write(folder: Path, path: object, name: str = "sums.yaml") -> str:
    (folder / name).write_text(template(data=f"{{path: '{path}', {SPLIT}}}", metric="number"))
    return str(folder / name)


@pytest.mark.parametrize("path", ["../own.jsonl", "{home}/own.jsonl", "link.jsonl", ".cache/rows.jsonl"])
def test_it_is_named_and_not_sent_without_a_yes(
    shell: Shell, home: Path, download: tuple[Path, ModelServer], path: str
) -> None:
    folder, server = download
    sums = write(folder, path.format(home=home))
    found = (folder / path.format(home=home)).resolve()
    checked = shell("check", sums)
    assert checked.code == exit_codes.OK
    assert f"warning: data: {found} is outside the template's folder." in checked.out
    assert shell("estimate", sums, *asking(server)).code == exit_codes.OK
    for words in (("run",), ("score",), ("race", "--methods", "gpo,gradsum"), ("judge-check",)):
        said = shell(words[0], sums, *words[1:], "--yes", *asking(server))
        assert said.code == exit_codes.FAILED
        assert f"takes its rows from {found}, outside its folder {folder}" in said.err
        assert f"--trust {found}" in said.err
    assert server.requests == []
    assert not (home / "data" / "workspace" / "sums").exists()


def test_one_yes_is_for_a_file_and_the_templates_of_a_folder(
    shell: Shell, home: Path, download: tuple[Path, ModelServer]
) -> None:
    folder, server = download
    sums = write(folder, "../own.jsonl")
    assert shell("score", sums, "--trust", "own.jsonl", *asking(server)).code == exit_codes.OK
    assert shell("score", sums, *asking(server)).code == exit_codes.OK
    assert shell("score", write(folder, "../own.jsonl", "more.yaml"), *asking(server)).code == exit_codes.OK
    (home / "own.jsonl").write_text(rows(13))
    assert shell("score", sums, *asking(server)).code == exit_codes.OK
    (home / "other.jsonl").write_text(rows(12))
    assert "--trust" in shell("score", write(folder, "../other.jsonl"), *asking(server)).err
    (home / "elsewhere").mkdir()
    moved = write(home / "elsewhere", "../own.jsonl")
    assert "--trust" in shell("score", moved, *asking(server)).err


def test_nobody_is_asked_about_what_is_in_the_folder_or_in_the_users_own(
    shell: Shell, home: Path, download: tuple[Path, ModelServer]
) -> None:
    folder, server = download
    assert shell("score", write(folder, "inside.jsonl"), *asking(server)).code == exit_codes.OK
    assert shell("score", write(folder, "../download/inside.jsonl"), *asking(server)).code == exit_codes.OK
    own = home / "data" / "templates"
    own.mkdir(parents=True, exist_ok=True)
    assert shell("score", write(own, home / "own.jsonl"), *asking(server)).code == exit_codes.OK
    said = shell("score", write(folder, "inside.jsonl"), "--trust", "own.jsonl", *asking(server))
    assert said.code == exit_codes.USAGE
    assert "no file here needs it" in said.err


def test_a_variable_names_the_file_where_nobody_can_be_asked(
    shell: Shell, home: Path, download: tuple[Path, ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, server = download
    monkeypatch.setenv(VARIABLE, str(home / "own.jsonl"))
    assert shell("score", write(folder, "../own.jsonl"), *asking(server)).code == exit_codes.OK
    assert not (home / "config" / "trusted.json").exists()


@pytest.mark.parametrize("typed", ["y", "n"])
def test_a_person_is_asked_on_a_terminal(home: Path, download: tuple[Path, ModelServer], typed: str) -> None:
    folder, server = download
    words = ("score", write(folder, "../own.jsonl"), "--yes", *asking(server))
    with Terminal(*words, env=places(home, OPENAI_API_KEY="sk-the-key"), rows=40, columns=200) as terminal:
        terminal.read_until("Send them? [y/N] ")
        assert str(home / "own.jsonl") in terminal.text
        terminal.type(f"{typed}\n")
        terminal.read_until("on 4 test rows" if typed == "y" else "outside its folder")
    assert bool(server.requests) == (typed == "y")


NOWHERE = ("'loop.jsonl'", "'loop/rows.jsonl'", '"ro\\0ws.jsonl"', "'~no-such-user/x.jsonl'")


@pytest.mark.parametrize("data", NOWHERE)
def test_a_path_that_leads_nowhere_is_an_error_in_a_sentence(shell: Shell, home: Path, data: str) -> None:
    for name in ("loop", "loop.jsonl"):
        (home / name).symlink_to(name)
    (home / "sums.yaml").write_text(template(data=data, metric="number"))
    for words in (("check", "sums.yaml"), ("estimate", "sums.yaml", "--model", "m")):
        said = shell(*words)
        assert said.code == exit_codes.FAILED
        assert "Traceback" not in said.out + said.err


def test_a_template_that_is_no_file_is_named_as_such(shell: Shell, home: Path) -> None:
    os.mkfifo(home / "pipe.yaml")
    (home / "loop.yaml").symlink_to("loop.yaml")
    for name in ("pipe.yaml", "loop.yaml"):
        assert f"{name} is not an ordinary file" in shell("check", name).err
    assert "pipe.yaml is not an ordinary file" in shell("import", "pipe.yaml").err
