"""Opening the files of a project: no links, regular files only, private ones."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from spotui.workspace import files
from spotui.workspace.files import (
    Folder,
    UnsafeFileError,
    copy_files,
    hint_for,
    lines_of,
    open_file,
    read_file,
    reading,
    write_file,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_and_read_whole_and_in_pieces(tmp_path: Path) -> None:
    for data in (b"new\n", b"", b"\0\xff" * 1000):
        write_file(tmp_path / "file", data)
        assert read_file(tmp_path / "file") == data
        with reading(tmp_path / "file") as file:
            assert b"".join(file) == data
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_file(tmp_path / "replaced", b"")
        os.close(open_file(tmp_path / "opened", os.O_WRONLY | os.O_CREAT))
        with Folder.at(tmp_path) as folder:
            folder.inside("folder", make=True).close()
    finally:
        os.umask(before)
    assert [mode_of(tmp_path / name) for name in ("replaced", "opened", "folder")] == [0o600, 0o600, 0o700]


@pytest.mark.parametrize(("mode", "kept"), [(0o644, 0o644), (0o666, 0o644), (0o440, 0o640), (0o4755, 0o744)])
def test_a_replaced_file_keeps_its_readers_and_loses_other_writers(
    tmp_path: Path, mode: int, kept: int
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(mode)
    write_file(tmp_path / "file", b"new")
    assert mode_of(tmp_path / "file") == kept


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREAT])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("pipe", "a pipe"),
        ("device", "a device"),
    ],
)
def test_what_is_not_a_regular_file_is_named_and_not_opened(
    tmp_path: Path, kind: str, said: str, flags: int
) -> None:
    path, target = tmp_path / "file", tmp_path / "target"
    match kind:
        case "link":
            target.write_text("precious")
            path.symlink_to(target)
        case "dangling":
            path.symlink_to(target)
        case "pipe":
            os.mkfifo(path)
        case _:
            path = Path("/dev/null")
    with pytest.raises(UnsafeFileError, match=f"{path.name} is {said}") as caught:
        os.close(open_file(path, flags))
    assert str(path) in hint_for(caught.value, "otherwise")
    if kind != "device":
        with pytest.raises(UnsafeFileError):
            write_file(path, b"new")
    assert target.read_text() == "precious" if kind == "link" else not target.exists()


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR | os.O_APPEND])
def test_a_file_with_a_second_name_is_read_and_never_written_in_place(tmp_path: Path, flags: int) -> None:
    (tmp_path / "other").write_bytes(b"precious")
    (tmp_path / "file").hardlink_to(tmp_path / "other")
    assert read_file(tmp_path / "file") == b"precious"
    with pytest.raises(UnsafeFileError, match="second name"):
        open_file(tmp_path / "file", flags)
    write_file(tmp_path / "file", b"new")
    assert (tmp_path / "other").read_bytes() == b"precious"
    os.close(open_file(tmp_path / "file", flags))


def test_a_folder_that_is_a_link_is_not_opened_and_links_above_it_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link" / "inner" / "file", b"data")
    with pytest.raises(UnsafeFileError, match="link is a symbolic link"):
        write_file(tmp_path / "link" / "file", b"data")
    with Folder.at(tmp_path) as folder:
        with pytest.raises(UnsafeFileError, match="link is a symbolic link"):
            folder.inside("link", make=True)
        with folder.inside("real") as real, real.inside("inner") as inner:
            assert inner.read("file") == b"data"


def test_an_open_folder_stays_itself_when_its_name_is_given_to_a_link(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("precious")
    with Folder.at(tmp_path / "project") as folder:
        (tmp_path / "project").rename(tmp_path / "moved")
        (tmp_path / "project").symlink_to("victim")
        folder.replace("file", b"ours")
        assert folder.read("file") == b"ours"
    assert (tmp_path / "moved" / "file").read_bytes() == b"ours"
    assert (tmp_path / "victim" / "file").read_text() == "precious"


def test_a_file_that_becomes_a_link_while_it_is_opened_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between looking and opening is lost by whoever swaps the file in it."""
    (tmp_path / "target").write_text("precious")
    (tmp_path / "file").write_text("ours")
    really = os.stat

    def swap(*words: Any, **named: Any) -> os.stat_result:
        monkeypatch.undo()
        found = really(*words, **named)
        (tmp_path / "file").unlink()
        (tmp_path / "file").symlink_to("target")
        return found

    monkeypatch.setattr(os, "stat", swap)
    write_file(tmp_path / "file", b"new")  # looks at what is there, and then replaces it
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "target").read_text() == "precious"


def test_a_file_that_is_too_large_is_named_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnsafeFileError, match="file is larger than 256 MiB"):
        read_file(tmp_path / "file")
    monkeypatch.setattr(files, "LARGEST", 4)
    write_file(tmp_path / "file", b"1234")
    assert read_file(tmp_path / "file") == b"1234"


def test_errors_of_the_system_keep_their_kind_and_name_the_whole_path(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, kind in (("none", FileNotFoundError), ("folder", IsADirectoryError)):
        with pytest.raises(kind) as caught:
            read_file(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
        assert hint_for(caught.value, "otherwise") == "otherwise"
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        read_file(tmp_path / "file" / "inner")


@pytest.mark.parametrize("data", [b"", b"ours", b"ours!", b"our", b"OURS"])
def test_a_folder_says_whether_it_holds_a_file_already(tmp_path: Path, data: bytes) -> None:
    with Folder.at(tmp_path) as folder:
        assert not folder.holds("file", data)
        folder.replace("file", b"ours")
        assert folder.holds("file", data) == (data == b"ours")


def test_a_copy_has_the_regular_files_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "round_1").mkdir(parents=True)
    (source / "round_1" / "prompt.txt").write_text("Answer.")
    (source / "results.json").write_text("[]")
    (source / "link").symlink_to("/etc/passwd")
    (source / "folder-link").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    copy_files(source, tmp_path / "copy")
    copied = sorted(one.relative_to(tmp_path / "copy").as_posix() for one in (tmp_path / "copy").rglob("*"))
    assert copied == ["results.json", "round_1", "round_1/prompt.txt"]
    assert (tmp_path / "copy" / "round_1" / "prompt.txt").read_text() == "Answer."


def test_descriptors_are_closed_whatever_happens(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/dev/fd").iterdir()))
    for name in ("link", "pipe", "none"):
        for _ in range(5):
            with pytest.raises(OSError, match=r"."):
                read_file(tmp_path / name)
    write_file(tmp_path / "file", b"data")
    read_file(tmp_path / "file")
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_file_without_line_ends_is_refused_and_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 4)
    (tmp_path / "file").write_bytes(b"abc\nabcd\n")
    with reading(tmp_path / "file") as file, pytest.raises(UnsafeFileError, match="a line is longer than"):
        list(lines_of(tmp_path / "file", file))
    (tmp_path / "file").write_bytes(b"abc\n\nab")
    with reading(tmp_path / "file") as file:
        assert list(lines_of(tmp_path / "file", file)) == [b"abc\n", b"\n", b"ab"]
