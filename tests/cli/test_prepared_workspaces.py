"""A workspace from somebody else: links, pipes and devices in it reach no file of the user, stop no verb."""

import errno
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.cli.conftest import Shell
from tests.command_line import write_template
from tests.row_model import rows

PRECIOUS = "the user's own words\n"
FILES = (
    "journal.jsonl",
    "run.yaml",
    "lock",
    "prompts/results.json",
    "prompts/round_1/prompt.txt",
    "prompts/round_4/answers.txt",
)
FOLDERS = ("prompts", "prompts/round_1", "prompts/round_4")
LOOKING = (
    ("list",),
    ("show", "why"),
    ("show", "why", "2"),
    ("show", "why", "--json"),
    ("best", "why"),
    ("diff", "why"),
    ("export", "why", "--format", "markdown"),
    ("replay", "why", "--speed", "0", "--plain"),
)
MORE_ROUNDS = ("resume", "why", "--max-rounds", "4", "--plain")

Prepare = Callable[[Path, Path], None]


@contextmanager
def _impatient() -> Iterator[None]:
    """Interrupt what waits for ever, as the reader of a pipe does."""

    def waited(_: int, __: FrameType | None) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "waited for ever")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(20)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def link_to_nothing(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("made-by-spotui"))


def link_to_zeros(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def listener(path: Path, _: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


@pytest.fixture
def victim(home: Path) -> Path:
    folder = home / "user"
    folder.mkdir()
    (folder / "notes.txt").write_text(PRECIOUS)
    return folder / "notes.txt"


def put(project: Path, name: str, prepare: Prepare, victim: Path) -> None:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    prepare(path, victim)


def is_untouched(victim: Path) -> bool:
    return victim.read_text() == PRECIOUS and [one.name for one in victim.parent.iterdir()] == [victim.name]


PREPARED = (
    *((name, link) for name in FILES),
    *(("journal.jsonl", one) for one in (link_to_nothing, link_to_zeros, pipe, listener, hard_link)),
    ("prompts/results.json", pipe),
    ("prompts/round_4/answers.txt", hard_link),
    ("lock", hard_link),
    ("run.yaml", link_to_zeros),
)


@pytest.mark.parametrize(("name", "prepare"), PREPARED)
def test_a_file_of_a_project_never_leads_out_of_it(
    shell: Shell, workspace: Path, victim: Path, name: str, prepare: Prepare
) -> None:
    put(workspace / "why", name, prepare, victim)
    with _impatient():
        looked = [shell(*words) for words in LOOKING]
        resumed = shell(*MORE_ROUNDS)
    assert all(one.code in (0, 1) for one in looked)
    assert "Traceback" not in "".join(one.err for one in (*looked, resumed))
    assert is_untouched(victim)
    if name in ("journal.jsonl", "run.yaml", "lock"):
        assert resumed.code == 1
        assert str(workspace / "why" / name) in resumed.err


@pytest.mark.parametrize("prepare", [link_to_zeros, pipe])
def test_no_speed_is_measured_in_a_journal_that_is_no_file(
    shell: Shell, workspace: Path, victim: Path, template: str, prepare: Prepare
) -> None:
    put(workspace / "why", "journal.jsonl", prepare, victim)
    with _impatient():
        assert shell("estimate", template, "--model", "test-model").code == 0


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_a_project_never_leads_out_of_it(
    shell: Shell, workspace: Path, victim: Path, name: str
) -> None:
    folder = workspace / "why" / name
    if folder.exists():
        folder.rename(workspace / "old")
    folder.symlink_to(victim.parent)
    looked = [shell(*words) for words in LOOKING]
    resumed = shell(*MORE_ROUNDS)
    assert "Traceback" not in "".join(one.err for one in (*looked, resumed))
    assert "is a symbolic link, and links in a workspace are not followed" in resumed.out + resumed.err
    assert is_untouched(victim)


def test_a_project_that_is_a_link_is_named_and_not_opened(shell: Shell, workspace: Path) -> None:
    (workspace / "why").rename(workspace.parent / "elsewhere")
    (workspace / "why").symlink_to(workspace.parent / "elsewhere")
    before = (workspace.parent / "elsewhere" / "journal.jsonl").read_bytes()
    assert "damaged" in shell("list").out
    for words in (*LOOKING[1:], MORE_ROUNDS):
        said = shell(*words)
        assert said.code == 1
        assert "why is a symbolic link" in said.err
    assert (workspace.parent / "elsewhere" / "journal.jsonl").read_bytes() == before


def test_a_folder_of_projects_that_is_a_link_is_not_followed(
    shell: Shell, workspace: Path, victim: Path, template: str
) -> None:
    (workspace / "session").symlink_to(victim.parent)
    for words in (["run", template, "--name", "session/new", "--model", "m"], ["show", "session/new"]):
        said = shell(*words)
        assert said.code == 1
        assert f"{workspace / 'session'} is a symbolic link" in said.err
    assert "session" not in shell("list").out
    assert is_untouched(victim)


@pytest.mark.parametrize("hidden", [".scores", ".archive"])
def test_spotuis_own_folders_are_not_followed_either(
    shell: Shell, home: Path, workspace: Path, victim: Path, template: str, hidden: str
) -> None:
    (workspace / hidden).symlink_to(victim.parent)
    (home / "rows.jsonl").write_text(rows(10))
    text = "prompt: Add.\nrequirements: The sum.\ndata: rows.jsonl\nmetric: number\n"
    start = ["run", template, "--name", "why", "--model", "m", "--fresh", "--yes"]
    score = ["score", write_template(home, text, "sums.yaml"), "--model", "test-model"]
    said = shell(*(start if hidden == ".archive" else score))
    assert said.code == 1
    assert f"{workspace / hidden} is a symbolic link" in said.err
    assert is_untouched(victim)


@pytest.mark.parametrize("linked", [".archive", ".archive/session"])
def test_what_a_linked_archive_leads_to_is_neither_listed_nor_moved(workspace: Path, linked: str) -> None:
    from spotui.workspace.moving import archived, restore
    from spotui.workspace.projects import ProjectError, Workspace

    elsewhere = workspace.parent / "elsewhere"
    elsewhere.mkdir()
    (workspace / "why").rename(elsewhere / "why-20260101-120000-000000")
    (workspace / linked).parent.mkdir(exist_ok=True)
    (workspace / linked).symlink_to(elsewhere)
    assert archived(Workspace(workspace)) == []
    with pytest.raises(ProjectError, match="There is no project"):
        restore(Workspace(workspace), workspace / linked / "why-20260101-120000-000000")
    assert (elsewhere / "why-20260101-120000-000000" / "journal.jsonl").exists()


def test_a_duplicate_takes_no_links_along(shell: Shell, workspace: Path, victim: Path) -> None:
    from spotui.workspace.moving import duplicate
    from spotui.workspace.projects import Workspace

    link(workspace / "why" / "prompts" / "notes.txt", victim)
    pipe(workspace / "why" / "prompts" / "pipe", victim)
    everything = Workspace(workspace)
    copy = duplicate(everything, everything.existing("why"), "copy")
    assert not (copy.prompts / "notes.txt").is_symlink()
    assert not (copy.prompts / "notes.txt").exists()
    assert copy.results.read_bytes() == (workspace / "why" / "prompts" / "results.json").read_bytes()
    assert shell("best", "copy").out == shell("best", "why").out


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_what_a_run_keeps_is_private_whatever_the_umask(shell: Shell, home: Path, umask: int) -> None:
    template = write_template(home)
    before = os.umask(umask)
    try:
        assert shell("run", template, "--model", "test-model", "--max-rounds", "2").code == 0
    finally:
        os.umask(before)
    kept = [home / "data", *(home / "data").rglob("*")]
    assert len(kept) > 10
    for path in kept:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.lstat().st_mode) == wanted, path
