"""The lock: one process at a time, released by the kernel, and it says who holds it."""

import fcntl
import os
import signal
import time
from pathlib import Path

import pytest

from spotui.workspace.lock import LockedError, Owner, ProjectLock
from tests.workspace.other_process import heard, other_process, tell

HOLD = """
import sys
from pathlib import Path
from spotui.workspace.lock import ProjectLock
lock = ProjectLock(Path(sys.argv[1]), "poem")
lock.acquire()
print("held", flush=True)
input()
lock.release()
print("let go", flush=True)
input()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_second_process_is_told_who_works_there(path: Path) -> None:
    with other_process(HOLD, path) as child:
        assert heard(child) == "held"
        with pytest.raises(LockedError) as caught:
            ProjectLock(path, "poem").acquire()
        assert caught.value.what == (
            f"poem is being worked on by process {child.pid} on {os.uname().nodename}."
        )
        assert "'spotui attach poem'" in caught.value.hint
        assert ProjectLock(path, "poem").living_owner() == Owner(child.pid, os.uname().nodename)


def test_a_lock_that_was_let_go_has_no_owner_and_none_that_died(path: Path) -> None:
    with other_process(HOLD, path) as child:
        assert heard(child) == "held"
        tell(child)
        assert heard(child) == "let go"
        lock = ProjectLock(path, "poem")
        assert lock.living_owner() is None
        assert lock.acquire() is None
        lock.release()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_loses_its_lock_and_the_next_hears_its_name(how: signal.Signals, path: Path) -> None:
    with other_process(HOLD, path) as child:
        assert heard(child) == "held"
        child.send_signal(how)
        child.wait(60)
        lock = ProjectLock(path, "poem")
        assert lock.living_owner() is None
        assert lock.acquire() == Owner(child.pid, os.uname().nodename)
        assert lock.living_owner() == Owner(os.getpid(), os.uname().nodename)
        lock.release()
    assert ProjectLock(path, "poem").acquire() is None


def test_a_child_of_a_killed_process_does_not_hold_its_lock(path: Path) -> None:
    code = """
import subprocess, sys
from pathlib import Path
from spotui.workspace.lock import ProjectLock
lock = ProjectLock(Path(sys.argv[1]), "poem")
lock.acquire()
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=sys.stdin)
print("held", flush=True)
child.wait()
"""
    with other_process(code, path) as child:
        assert heard(child) == "held"
        child.kill()
        child.wait(60)
        lock = ProjectLock(path, "poem")
        assert lock.acquire() == Owner(child.pid, os.uname().nodename)
        lock.release()


def test_of_several_that_begin_at_once_one_gets_the_lock(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from spotui.workspace.lock import LockedError, ProjectLock
print("ready", flush=True)
input()
try:
    ProjectLock(Path(sys.argv[1]), "poem").acquire()
    print("got it", flush=True)
except LockedError:
    print("refused", flush=True)
input()
"""
    with (
        other_process(code, path) as one,
        other_process(code, path) as two,
        other_process(code, path) as three,
    ):
        children = [one, two, three]
        assert [heard(child) for child in children] == ["ready"] * 3
        for child in children:
            tell(child)
        assert sorted(heard(child) for child in children) == ["got it", "refused", "refused"]


def test_the_same_process_cannot_take_it_twice(path: Path) -> None:
    lock = ProjectLock(path, "poem")
    lock.acquire()
    with pytest.raises(LockedError, match=f"process {os.getpid()} "):
        ProjectLock(path, "poem").acquire()
    lock.release()
    lock.release()
    assert ProjectLock(path, "poem").living_owner() is None


def test_a_project_that_is_moved_stays_locked(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    lock = ProjectLock(tmp_path / "old" / "lock", "old")
    lock.acquire()
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(LockedError):
        ProjectLock(tmp_path / "new" / "lock", "new").acquire()
    lock.release()
    assert ProjectLock(tmp_path / "new" / "lock", "new").acquire() is None


def test_asking_makes_no_lock(path: Path) -> None:
    assert ProjectLock(path, "poem").living_owner() is None
    assert not path.exists()


def test_whoever_only_asks_is_no_owner_to_another_who_asks(path: Path) -> None:
    path.touch()
    asking = os.open(path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    assert ProjectLock(path, "poem").living_owner() is None
    os.close(asking)


def test_a_refusal_gives_its_descriptor_back(path: Path) -> None:
    lock = ProjectLock(path, "poem")
    lock.acquire()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - no folder of ours
    for _ in range(2):
        with pytest.raises(LockedError):
            ProjectLock(path, "poem").acquire()
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
    lock.release()


def test_whoever_only_asks_does_not_stop_one_who_begins(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    asking = os.open(path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    # The one who asks is done while the other waits.
    monkeypatch.setattr(time, "sleep", lambda _: os.close(asking))
    lock = ProjectLock(path, "poem")
    assert lock.acquire() is None
    lock.release()


@pytest.mark.parametrize(
    "content",
    [b"", b"12", b"{", b"\xff\xfe", b'{"pid":"x"}', bytes(5000)],
    ids=["empty", "number", "torn", "no text", "wrong type", "zeros"],
)
def test_an_owner_that_cannot_be_read_is_still_an_owner(content: bytes, path: Path) -> None:
    lock = ProjectLock(path, "poem")
    lock.acquire()
    path.write_bytes(content)
    assert lock.living_owner() == Owner(0, "")
    with pytest.raises(LockedError, match="another process"):
        ProjectLock(path, "poem").acquire()
    lock.release()
    path.write_bytes(content)
    assert ProjectLock(path, "poem").acquire() is None


def test_a_longer_owner_leaves_nothing_behind_in_the_file(path: Path) -> None:
    path.write_bytes(b'{"pid":123456789,"host":"' + b"h" * 500 + b'"}')
    lock = ProjectLock(path, "poem")
    assert lock.acquire() == Owner(123456789, "h" * 500)
    assert lock.living_owner() == Owner(os.getpid(), os.uname().nodename)
    lock.release()


def test_a_pause_is_seen_by_those_who_look(path: Path) -> None:
    lock, onlooker = ProjectLock(path, "poem"), ProjectLock(path, "poem")
    lock.acquire()
    size = path.stat().st_size
    for is_paused in (True, False, True):
        lock.note_pause(is_paused=is_paused)
        assert onlooker.living_owner() == Owner(os.getpid(), os.uname().nodename, is_paused)
        assert path.stat().st_size == size, "a reader could find the end of the longer one"
    lock.release()
    lock.note_pause(is_paused=True)
    assert (onlooker.living_owner(), path.read_bytes()) == (None, b"")


@pytest.mark.parametrize("kind", ["folder", "missing", "file above"])
def test_a_place_that_cannot_be_locked_is_a_clear_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "poem" / "lock"
    if kind == "folder":
        path.mkdir(parents=True)
    elif kind == "file above":
        path.parent.touch()
    with pytest.raises(LockedError, match="cannot be locked") as caught:
        ProjectLock(path, "poem").acquire()
    assert "--workspace" in caught.value.hint
    assert ProjectLock(path, "poem").living_owner() is None


def test_a_lock_file_is_for_its_owner_alone(path: Path) -> None:
    path.touch()
    path.chmod(0o666)
    lock = ProjectLock(path, "poem")
    lock.acquire()
    assert path.stat().st_mode & 0o777 == 0o600
    lock.release()


@pytest.mark.parametrize(("mode", "kept"), [(0o777, 0o755), (0o770, 0o750), (0o755, 0o755), (0o1777, 0o1777)])
def test_nobody_else_can_put_a_lock_into_the_folder(path: Path, mode: int, kept: int) -> None:
    path.parent.chmod(mode)
    lock = ProjectLock(path, "poem")
    lock.acquire()
    lock.release()
    assert path.parent.stat().st_mode & 0o7777 == kept


@pytest.mark.parametrize("shared", ["lock", "folder"])
def test_a_lock_that_another_user_could_hold_is_refused(
    path: Path, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch()
    (path if shared == "lock" else path.parent).chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)  # as if all of this were somebody else's
    with pytest.raises(LockedError, match="belongs to another user") as caught:
        ProjectLock(path, "poem").acquire()
    assert caught.value.hint


def test_a_lock_of_the_owner_of_the_folder_can_be_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch(0o600)
    path.chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    lock = ProjectLock(path, "poem")
    assert lock.acquire() is None
    lock.release()


def test_a_lock_file_that_is_replaced_while_it_is_taken_is_taken_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = fcntl.flock

    def slow(file: int, how: int) -> None:
        monkeypatch.undo()
        path.unlink()
        path.touch()
        really(file, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    lock = ProjectLock(path, "poem")
    lock.acquire()
    assert ProjectLock(path, "poem").living_owner() == Owner(os.getpid(), os.uname().nodename)
    lock.release()
