"""The config folder: private, locked by nobody else, and believed only where nobody else can have written."""

import fcntl
import os
import stat
from pathlib import Path

import pytest

from spotui.settings import locations
from spotui.settings.config_file import Config
from spotui.settings.errors import SettingsError
from spotui.settings.keys import is_trusted_address, trust_address
from spotui.settings.trust import is_trusted, may_be_sent, trust
from spotui.settings.writing import alone, read_private
from tests.command_line import move_in

URL = "https://models.example/v1"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return locations.config_dir()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_what_is_written_is_private_whatever_the_umask(config: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        trust_address(URL)
        trust(Path("/x/metric.py"), "0" * 64)
    finally:
        os.umask(before)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (config, *config.iterdir())}
    assert modes.pop(config.name) == 0o700
    assert modes == dict.fromkeys(
        (".addresses.json.lock", "addresses.json", ".trusted.json.lock", "trusted.json"), 0o600
    )


def test_somebody_who_can_open_the_folder_cannot_hold_its_lock(config: Path) -> None:
    config.mkdir(mode=0o755)
    (config / ".addresses.json.lock").touch(mode=0o644)
    folder = os.open(config, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        trust_address(URL)
    finally:
        os.close(folder)
    assert stat.S_IMODE((config / ".addresses.json.lock").stat().st_mode) == 0o600
    with (
        alone(config / "addresses.json"),
        (config / ".addresses.json.lock").open() as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_that_leads_elsewhere_is_not_taken(config: Path, tmp_path: Path) -> None:
    config.mkdir(mode=0o700)
    (config / ".addresses.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"addresses\.json cannot be written"):
        trust_address(URL)
    assert not (tmp_path / "elsewhere").exists()


def test_others_lose_the_right_to_write_into_the_folder(config: Path) -> None:
    config.mkdir()
    config.chmod(0o777)
    trust_address(URL)
    assert stat.S_IMODE(config.stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_list_that_others_can_write_is_not_believed(config: Path, mode: int) -> None:
    trust_address(URL)
    trust(Path("/x/metric.py"), "0" * 64)
    for name in ("addresses.json", "trusted.json"):
        (config / name).chmod(mode)
    with pytest.raises(SettingsError, match=r"addresses\.json is not a file that only you can write") as said:
        is_trusted_address(URL, Config(), {})
    assert f"chmod 600 {config / 'addresses.json'}" in str(said.value)
    with pytest.raises(SettingsError, match=r"trusted\.json is not a file that only you can write"):
        is_trusted(Path("/x/metric.py"), "0" * 64, {})
    with pytest.raises(SettingsError, match=r"trusted\.json is not a file that only you can write"):
        may_be_sent(Path("/x/rows.jsonl"), Path("/x"), {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_list_of_another_user_is_not_believed(config: Path) -> None:
    trust_address(URL)
    os.chown(config / "addresses.json", 12345, 12345)
    with pytest.raises(SettingsError, match="others may have changed it"):
        is_trusted_address(URL, Config(), {})


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_list_that_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "list.json"
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir(mode=0o700)
    with pytest.raises((SettingsError, IsADirectoryError)):
        read_private(path)
