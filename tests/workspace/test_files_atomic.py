"""Replacing a file: the old one or the new one, never half of either."""

import errno
import os
import signal
import stat
from pathlib import Path

import pytest

from spotui.workspace.files import replace_file, sync_folder
from tests.workspace.full_disk import no_file_beyond
from tests.workspace.other_process import heard, other_process, tell


def test_a_file_is_made_and_then_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"long" * 1000, b"", b"\0\xff\r\n"):
        replace_file(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_a_name_can_be_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    replace_file(path, b"data")
    assert path.read_bytes() == b"data"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_of_a_file_is_kept(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    replace_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(Path("there") / "file")
    for data in (b"made", b"replaced"):
        replace_file(link, data)
        assert (tmp_path / "there" / "file").read_bytes() == data
    assert link.is_symlink()
    assert list((tmp_path / "there").iterdir()) == [tmp_path / "there" / "file"]


def test_links_that_go_round_are_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links") as caught:
        replace_file(tmp_path / "a", b"")
    assert caught.value.errno == errno.ELOOP


def test_a_full_disk_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    with no_file_beyond(100), pytest.raises(OSError, match="too large"):
        replace_file(path, b"x" * 101)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "folder", b"")
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "file", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_and_a_killed_writer_never_leave_half_a_file(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from spotui.workspace.files import replace_file
path = Path(sys.argv[1])
replace_file(path, b"0" * 100_000)
print("begun", flush=True)
while True:
    for digit in b"0123456789":
        replace_file(path, bytes([digit]) * 100_000)
"""
    path = tmp_path / "file"
    with other_process(code, path) as child:
        assert heard(child) == "begun"
        for _ in range(300):
            data = path.read_bytes()
            assert len(data) == 100_000
            assert len(set(data)) == 1
        child.send_signal(signal.SIGKILL)
        child.wait()
    data = path.read_bytes()
    assert (len(data), len(set(data))) == (100_000, 1)


def test_two_writers_leave_one_of_their_files_and_nothing_else(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from spotui.workspace.files import replace_file
input()
for _ in range(100):
    replace_file(Path(sys.argv[1]), sys.argv[2].encode() * 10_000)
"""
    path = tmp_path / "file"
    with other_process(code, path, "a") as one, other_process(code, path, "b") as other:
        tell(one)
        tell(other)
        assert [one.wait(120), other.wait(120)] == [0, 0]
    assert path.read_bytes() in {b"a" * 10_000, b"b" * 10_000}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    sync_folder(tmp_path / "gone")
