"""A race as it stands, from its projects."""

from pathlib import Path

import msgspec
import pytest

from spotui.view.race import RaceReader, against_each_other, continued_in_words, winner
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import Continued, RaceFolder
from tests.tui import scored_projects


@pytest.fixture
def race(tmp_path: Path) -> RaceFolder:
    return scored_projects.race(Workspace(tmp_path))


def test_the_best_on_unseen_rows_stands_first(race: RaceFolder) -> None:
    found = RaceReader(race).read()
    assert [(one.method, one.state, one.rounds, one.best) for one in found.lanes] == [
        ("gpo", "finished", 3, 2),
        ("gradsum", "finished", 2, 2),
        ("spo", "waiting", 0, 0),
    ]
    assert [one.tokens for one in found.lanes] == [48_200] * 3
    assert found.state == "finished"
    assert against_each_other(found) == [
        "Row by row on 4 test rows:",
        "gpo against gradsum: +15.0 (-5.0 to +34.0), 5 rows won, 2 lost; that may be chance",
        "gpo against spo: +40.0 (+20.0 to +56.0), 9 rows won, 1 lost",
        "gradsum against spo: +25.0 (-3.0 to +50.0), 6 rows won, 1 lost; that may be chance",
    ]


def test_a_gain_below_the_floor_makes_no_winner_and_the_one_that_continued_is_named(race: RaceFolder) -> None:
    record = race.read()
    first = record.tested[0]
    continued = Continued(method="gpo", scores={"gpo": 0.8, "spo": 0.7}, limits={"calls": 120, "rounds": 9})
    for floor, words in (
        (0.0, "Winner: gpo, "),
        (first.gain + 0.1, "No winner: the gain of gpo, the best one"),
    ):
        tested = (msgspec.structs.replace(first, floor=floor), *record.tested[1:])
        race.write(msgspec.structs.replace(record, tested=tested, continued=continued))
        found = RaceReader(race).read()
        assert winner(found).startswith(words)
        assert found.continued is not None
        said = continued_in_words(found.continued)
        assert said.startswith("gpo continues with the rest of the budget, 120 calls in all.")
        assert said.endswith("On the eval rows: gpo 80.0, spo 70.0.")


def test_before_the_test_the_projects_tell(race: RaceFolder) -> None:
    race.write(msgspec.structs.replace(race.read(), tested=(), compared=()))
    reader = RaceReader(race)
    found = reader.read()
    first = found.lanes[0]
    assert (found.state, first.method, first.tokens) == ("not running", "gpo", 4500)
    assert first.cost_usd == pytest.approx(0.0375)
    assert (first.score, first.seconds) == (0.8, 12.0)
    assert against_each_other(found) == []
    race.lock.acquire()
    assert reader.read().state == "running"
    race.write(msgspec.structs.replace(race.read(), methods=("gpo", "gradsum")))
    assert reader.read().state == "testing"
    race.lock.release()
