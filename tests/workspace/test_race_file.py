"""race.json: who races, and what the test says."""

from pathlib import Path

import msgspec
import pytest

from spotui.workspace.lock import LockedError
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceError, RaceFolder, RaceRecord, race_names, race_of

RECORD = RaceRecord(template="sums.yaml", methods=("gpo", "spo"), words=("race", "sums.yaml"), rows=4)


@pytest.fixture
def race(tmp_path: Path) -> RaceFolder:
    return RaceFolder(Workspace(tmp_path), "sums-race")


def test_what_was_written_is_read_again(race: RaceFolder) -> None:
    assert not race.exists
    with pytest.raises(RaceError, match="cannot be read"):
        race.read()
    race.write(RECORD)
    assert race.read() == RECORD
    assert race_names(race.workspace) == ["sums-race"]
    assert race.workspace.names() == []


def test_a_flag_that_no_race_takes_any_more_keeps_no_old_one_back(race: RaceFolder) -> None:
    race.write(msgspec.structs.replace(RECORD, words=(*RECORD.words, "--no-final-check", "--seed=1")))
    assert race.read().words == (*RECORD.words, "--seed=1")


def test_a_run_of_a_race_leads_to_it(race: RaceFolder) -> None:
    race.write(RECORD)
    found = race_of(race.project("gpo"), race.workspace)
    assert found is not None
    assert found.name == "sums-race"
    assert race_of(race.workspace.project("sums-race"), race.workspace) is None
    assert race_of(race.workspace.project("other/gpo"), race.workspace) is None


@pytest.mark.parametrize(
    ("text", "what"), [("{", "is damaged"), ('{"version":9,"template":"","methods":[],"words":[]}', "newer")]
)
def test_a_damaged_or_newer_one_says_so(race: RaceFolder, text: str, what: str) -> None:
    race.write(RECORD)
    (race.folder / "race.json").write_text(text)
    with pytest.raises(RaceError, match=what):
        race.read()


def test_one_process_works_on_it_at_a_time(race: RaceFolder) -> None:
    race.write(RECORD)
    states = [race.is_running]
    race.lock.acquire()
    states.append(race.is_running)
    with pytest.raises(LockedError):
        RaceFolder(race.workspace, "sums-race").lock.acquire()
    race.lock.release()
    assert [*states, race.is_running] == [False, True, False]
