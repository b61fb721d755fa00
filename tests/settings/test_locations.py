"""Where things are, and that a socket always fits."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.errors import SpotuiError
from spotui.settings import locations


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SPOTUI_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose sockets fit; pytest's own are too deep for that."""
    with tempfile.TemporaryDirectory(prefix="s") as folder:
        yield Path(folder)


def test_each_default_is_under_home_and_carries_the_program_name(tmp_path: Path) -> None:
    for place in locations.all_locations():
        assert "spotui" in place.path.as_posix(), place
        assert place.path.is_absolute()
        assert place.why.startswith("default; SPOTUI_")
    for path in (locations.config_file(), locations.workspace_dir(), locations.models_dir()):
        assert path.is_relative_to(tmp_path)
    assert locations.config_file().name == "config.yaml"
    assert locations.workspace_dir() == locations.data_dir() / "workspace"


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    locations.all_locations()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("SPOTUI_CONFIG", "config file"),
        ("SPOTUI_DATA_DIR", "data"),
        ("SPOTUI_WORKSPACE", "workspace"),
        ("SPOTUI_TEMPLATES_DIR", "templates"),
        ("SPOTUI_MODELS_DIR", "models"),
        ("SPOTUI_LOG_DIR", "logs"),
    ],
)
def test_a_variable_moves_its_place_and_says_so(
    variable: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    place = next(place for place in locations.all_locations() if place.name == name)
    assert place.path == tmp_path / "elsewhere"
    assert place.why == f"{variable} is set"


def test_folders_follow_the_folder_they_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTUI_DATA_DIR", str(tmp_path / "d"))
    monkeypatch.setenv("SPOTUI_CONFIG_DIR", str(tmp_path / "c"))
    assert locations.workspace_dir() == tmp_path / "d" / "workspace"
    assert locations.templates_dir() == tmp_path / "d" / "templates"
    assert locations.models_dir() == tmp_path / "d" / "models"
    assert locations.config_file() == tmp_path / "c" / "config.yaml"
    assert locations.themes_dir() == tmp_path / "c" / "themes"
    assert locations.meta_prompts_dir() == tmp_path / "c" / "prompts"


def test_home_and_relative_paths_become_full_and_an_empty_variable_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_WORKSPACE", "~/w")
    assert locations.workspace_dir() == tmp_path / "w"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPOTUI_WORKSPACE", "here")
    assert locations.workspace_dir() == tmp_path / "here"
    monkeypatch.setenv("SPOTUI_WORKSPACE", "")
    assert locations.workspace_dir() == locations.data_dir() / "workspace"


def test_a_home_that_nobody_has_is_an_error_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTUI_WORKSPACE", "~nobody-has-this-name/w")
    with pytest.raises(SpotuiError, match="SPOTUI_WORKSPACE"):
        locations.workspace_dir()


@pytest.mark.parametrize("length", [4, 40, 80, 140, 240])
def test_a_socket_can_be_bound_however_long_the_folder_is(
    length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(tmp_path / ("r" * length)))
    folder = locations.ensure_runtime_dir()
    path = locations.socket_path(tmp_path / ("project " * 20) / "名前")
    try:
        assert len(os.fsencode(path)) < locations.SOCKET_PATH_BYTES
        assert path.parent == folder
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        path.unlink(missing_ok=True)
        folder.rmdir()


def test_long_folders_get_different_short_names_that_every_process_agrees_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(tmp_path / ("a" * 150)))
    first = locations.runtime_dir()
    command = "from spotui.settings.locations import runtime_dir; print(runtime_dir())"
    other = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(first)
    why = locations.all_locations()[-1].why
    assert "SPOTUI_RUNTIME_DIR is set, but no socket can be made in" in why
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(tmp_path / ("b" * 150)))
    assert locations.runtime_dir() != first


def test_a_temporary_folder_that_is_too_long_itself_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 90)
    long.mkdir()
    command = "from spotui.settings.locations import runtime_dir; print(runtime_dir())"
    environ = {**os.environ, "TMPDIR": str(long), "SPOTUI_RUNTIME_DIR": str(long / "r")}
    shown = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, env=environ
    )
    assert Path(shown.stdout).name.startswith("spotui-")
    assert len(shown.stdout) < locations.SOCKET_PATH_BYTES - locations.SOCKET_NAME_BYTES


def test_a_folder_that_cannot_be_made_is_passed_over(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short_dir / "file").write_text("")
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(short_dir / "file" / "run"))
    assert locations.runtime_dir().parent == Path(tempfile.gettempdir())


def test_one_project_has_one_socket_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "p")
    assert locations.socket_path(tmp_path / "p") == locations.socket_path(tmp_path / "link")
    assert locations.socket_path(tmp_path / "p") != locations.socket_path(tmp_path / "q")


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_can_open_is_refused(
    mode: int, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = short_dir / "r"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(folder))
    with pytest.raises(SpotuiError, match="other users") as caught:
        locations.ensure_runtime_dir()
    assert "chmod 700" in caught.value.hint
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_link_or_a_file_in_its_place_is_refused(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = short_dir / "real"
    real.mkdir(mode=0o700)
    (short_dir / "link").symlink_to(real)
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(short_dir / "link"))
    with pytest.raises(SpotuiError, match="link"):
        locations.ensure_runtime_dir()
    (short_dir / "file").write_text("")
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(short_dir / "file"))
    with pytest.raises(SpotuiError, match="cannot make"):
        locations.ensure_runtime_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = short_dir / "r"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    monkeypatch.setenv("SPOTUI_RUNTIME_DIR", str(folder))
    with pytest.raises(SpotuiError, match="another user"):
        locations.ensure_runtime_dir()


def test_sockets_do_not_stand_where_a_logout_removes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    assert not locations.runtime_dir().is_relative_to(session)


def test_asking_for_one_place_loads_no_more_than_it_needs() -> None:
    loaded = "'platformdirs' in sys.modules, 'tempfile' in sys.modules"
    command = f"import sys, spotui.settings.locations; print({loaded})"
    shown = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_folders_and_logs_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    log = tmp_path / "deep" / "log" / "why.log"
    before = os.umask(umask)
    try:
        for text in (b"one\n", b"two\n"):
            with locations.open_log(log, "ab") as file:
                file.write(text)
    finally:
        os.umask(before)
    assert log.read_bytes() == b"one\ntwo\n"
    assert [one.stat().st_mode & 0o777 for one in (log.parents[1], log.parent, log)] == [0o700, 0o700, 0o600]
    with locations.open_log(log, "wb"):
        pass
    assert log.read_bytes() == b""


def test_an_older_log_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "why.log").touch()
    (tmp_path / "why.log").chmod(0o666)
    locations.open_log(tmp_path / "why.log", "ab").close()
    assert (tmp_path / "why.log").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(0o755)
    locations.make_private(tmp_path / "mine" / "new")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o755
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "new"):
        with pytest.raises(FileExistsError):
            locations.make_private(path)


def test_a_log_never_leads_into_another_file(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "why.log").symlink_to("precious")
    os.mkfifo(tmp_path / "pipe.log")
    for name in ("why.log", "pipe.log"):
        with pytest.raises(OSError, match=name):
            locations.open_log(tmp_path / name, "ab")
    assert (tmp_path / "precious").read_text() == "mine"
