"""A disk that is full, a place that cannot be written, files that are damaged, two that want one project."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes, main
from spotui.workspace.lock import ProjectLock
from tests.command_line import Outcome, move_in, places, write_template
from tests.end_to_end.aftermath import history, journalled, project, results
from tests.end_to_end.conftest import KEY, Shell
from tests.model_server import ModelServer, conversation
from tests.spo_model import climbing


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as server:
        yield server


def words(template: str, server: ModelServer, rounds: int = 3) -> tuple[str, ...]:
    return ("run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", str(rounds))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> Path:
    """The data of a run of three rounds."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder, OPENAI_API_KEY=KEY)
        said = words(write_template(folder), server)
        assert main([*said, "--retry-seconds", "0.1"]) == exit_codes.OK
    return folder / "data"


@pytest.fixture
def ended(made: Path, home: Path) -> Path:
    """The folder of a project of three rounds."""
    shutil.copytree(made, home / "data")
    return project(home).folder


def with_little_room(*words: str, kibibytes: int, home: Path) -> Outcome:
    """Run a command that can write no file longer than that: every write beyond it fails."""
    return limited(f"-f {kibibytes}", *words, home=home)


def limited(limit: str, *words: str, home: Path) -> Outcome:
    """Run a command in a shell with a limit."""
    command = [
        "bash",
        "-c",
        f'ulimit {limit}; exec "$@"',
        "bash",
        sys.executable,
        "-m",
        "spotui",
        *words,
    ]
    done = subprocess.run(
        command, env=places(home, OPENAI_API_KEY=KEY), check=False, capture_output=True, text=True
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kibibytes", [9, 20])
def test_a_disk_that_fills_up_ends_the_run_and_with_room_again_it_goes_on(
    shell: Shell, template: str, home: Path, server: ModelServer, kibibytes: int
) -> None:
    first = len(server.requests)
    said = with_little_room(*words(template, server), kibibytes=kibibytes, home=home)
    assert said.code in {exit_codes.CALL_FAILED, exit_codes.FAILED}
    assert "Traceback" not in said.err
    assert "File too large" in said.err
    assert "journal" in said.err
    kept, asked = journalled(home), len(server.requests)
    assert asked - first - kept.total() <= 4  # at most what was in flight when it filled up
    assert shell("resume", "why").code == exit_codes.OK
    assert [one["succeed"] for one in results(home)] == [True, True, True]
    again = {conversation(one.json) for one in server.requests[asked:]}
    assert not {text for text in again if "<answers_of_A>" not in text} & set(kept)


@pytest.mark.parametrize("count", [7, 9, 10, 12])
def test_too_few_open_files_are_named_and_cost_nothing(
    shell: Shell, home: Path, ended: Path, count: int
) -> None:
    before = {path: path.read_bytes() for path in ended.rglob("*") if path.is_file()}
    said = limited(f"-n {count}", "resume", "why", "--max-rounds", "5", home=home)
    if said.code not in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}:
        assert f"this process may open {count} at once (ulimit -n)" in said.err
    assert "Traceback" not in said.err
    assert (ended / "journal.jsonl").read_bytes().startswith(before[ended / "journal.jsonl"])
    assert not list(ended.glob("prompts/results.damaged-*"))
    assert shell("resume", "why", "--max-rounds", "5").code == exit_codes.OK
    assert [one["round"] for one in results(home)] == [1, 2, 3, 4, 5]


def test_with_files_for_one_connection_a_run_works(template: str, home: Path, server: ModelServer) -> None:
    said = limited("-n 24", *words(template, server), "--concurrency", "1", home=home)
    assert said.code == exit_codes.OK, said.err


@pytest.mark.parametrize(
    ("verb", "limits"),
    [
        (("list",), (45_000, 130_000)),
        (("show", "why"), (80_000,)),
        (("resume", "why", "--max-rounds", "4"), (80_000, 130_000, 200_000)),
    ],
)
def test_too_little_memory_is_named(
    shell: Shell, home: Path, ended: Path, verb: tuple[str, ...], limits: tuple[int, ...]
) -> None:
    before = (ended / "journal.jsonl").read_bytes()
    for kibibytes in limits:
        said = limited(f"-v {kibibytes}", *verb, home=home)
        if said.code not in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}:
            assert f"this process may take {kibibytes:,} KiB (ulimit -v)" in said.err
        assert "Traceback" not in said.err
        assert (ended / "journal.jsonl").read_bytes().startswith(before)
    assert shell("resume", "why", "--max-rounds", "4").code == exit_codes.OK


def test_no_room_for_a_project_is_told_and_nothing_is_asked(
    template: str, home: Path, server: ModelServer
) -> None:
    asked = len(server.requests)
    said = with_little_room(*words(template, server), kibibytes=0, home=home)
    assert said.code == exit_codes.FAILED
    assert said.err.splitlines()[-2].startswith("spotui: ")
    assert len(server.requests) == asked
    assert not project(home).folder.exists()


@pytest.mark.parametrize("place", ["/proc/spotui", "a file", "a file/below"])
def test_a_workspace_that_cannot_be_written_is_told_before_anything_is_asked(
    shell: Shell, template: str, home: Path, server: ModelServer, place: str
) -> None:
    (home / "a file").touch()
    asked = len(server.requests)
    said = shell(*words(template, server), "--workspace", place)
    assert said.code == exit_codes.FAILED
    assert place in said.err
    assert "--workspace or SPOTUI_WORKSPACE" in said.err
    assert len(server.requests) == asked


def test_a_project_that_cannot_be_written_any_more_is_told(shell: Shell, ended: Path) -> None:
    (ended / "lock").unlink(missing_ok=True)
    (ended / "lock").mkdir()  # as in a read-only folder, it cannot be opened for writing, not even by root
    said = shell("resume", "why", "--max-rounds", "4")
    assert said.code == exit_codes.FAILED
    assert "cannot be locked" in said.err
    assert "--workspace" in said.err
    assert shell("show", "why").code == exit_codes.OK


@pytest.mark.parametrize("content", [b"", b"[", b'{"round": 1}', b"\xff\xfe", b'[{"round": "one"}]', b"null"])
def test_a_damaged_results_file_is_kept_aside_and_restored_from_the_journal(
    shell: Shell, ended: Path, home: Path, content: bytes
) -> None:
    whole = results(home)
    (ended / "prompts" / "results.json").write_bytes(content)
    assert shell("show", "why", "best").code == exit_codes.OK
    said = shell("resume", "why")
    assert said.code == exit_codes.OK
    assert "results.json was damaged" in said.out
    assert results(home) == whole
    assert content in [path.read_bytes() for path in (ended / "prompts").iterdir() if path.is_file()]


def test_a_damaged_results_file_of_the_reference_is_never_overwritten(shell: Shell, home: Path) -> None:
    path = home / "data" / "workspace" / "theirs" / "prompts" / "results.json"
    path.parent.mkdir(parents=True)
    path.write_text('[{"round": 1, "pro')
    for verb in ("show", "best", "export", "resume", "branch", "diff"):
        said = shell(verb, "theirs")
        assert said.code == exit_codes.FAILED
        assert said.err.startswith("spotui: ")
    assert "damaged" in shell("list").out
    assert path.read_text() == '[{"round": 1, "pro'


@pytest.mark.parametrize("torn", [1, 40, 700])
def test_a_torn_last_line_is_dropped_with_a_notice_and_bought_once_more(
    shell: Shell, ended: Path, home: Path, server: ModelServer, torn: int
) -> None:
    whole, journal = results(home), ended / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    call = max(number for number, line in enumerate(lines) if line.startswith(b'{"kind":"call"'))
    journal.write_bytes(b"".join(lines[:call]) + lines[call][:-torn])
    asked = len(server.requests)
    said = shell("resume", "why")
    assert said.code == exit_codes.OK
    assert "A torn last line of the journal" in said.out
    assert len(server.requests) - asked <= 2  # a vote that is missing is asked with the one it saved
    assert results(home) == whole


def test_a_torn_line_in_the_middle_is_an_error_that_names_it_and_changes_nothing(
    shell: Shell, ended: Path, server: ModelServer
) -> None:
    journal = ended / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4][:50] + b"\n"
    journal.write_bytes(b"".join(lines))
    before, asked = journal.read_bytes(), len(server.requests)
    for verb in ("resume", "replay", "branch"):
        said = shell(verb, "why")
        assert said.code == exit_codes.FAILED
        assert f"Line 5 of {journal} is damaged" in said.err
    assert (journal.read_bytes(), len(server.requests)) == (before, asked)


@pytest.mark.parametrize("content", ["", "[]", "version: 99\n", "settings: {", "a: b\n"])
def test_a_damaged_settings_file_is_an_error_that_names_it(
    shell: Shell, ended: Path, server: ModelServer, content: str
) -> None:
    (ended / "run.yaml").write_text(content)
    asked = len(server.requests)
    for verb in ("resume", "replay", "branch"):
        said = shell(verb, "why")
        assert said.code == exit_codes.FAILED
        assert str(ended / "run.yaml") in said.err
    assert shell("best", "why").code == exit_codes.OK
    assert len(server.requests) == asked


@pytest.mark.parametrize("verb", ["resume", "run"])
def test_of_two_processes_on_one_project_the_second_is_refused(
    shell: Shell, ended: Path, template: str, server: ModelServer, verb: str
) -> None:
    lock = ProjectLock(ended / "lock", "why")
    lock.acquire()
    asked = len(server.requests)
    command = ("resume", "why") if verb == "resume" else (*words(template, server), "--fresh")
    try:
        said = shell(*command)
        listed = shell("list", "--json")
    finally:
        lock.release()
    assert said.code == exit_codes.FAILED
    assert "is being worked on by process" in said.err
    assert json.loads(listed.out)["state"] == "running"
    assert len(server.requests) == asked
    assert shell("resume", "why").code == exit_codes.OK


def test_a_project_that_was_copied_goes_on_on_its_own(
    shell: Shell, ended: Path, home: Path, server: ModelServer
) -> None:
    shutil.copytree(ended, ended.parent / "copy")
    asked = len(server.requests)
    assert shell("resume", "copy").code == exit_codes.OK
    assert results(home, "copy") == results(home)
    assert len(server.requests) == asked
    assert history(home, "copy").state == "ended"
