"""Optimizers of other packages: on our rows, through our door, in the table of a race."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.domain.errors import SpotuiError
from spotui.methods.method import Package
from tests.command_line import Outcome, move_in, type_in
from tests.model_server import JsonObject, ModelServer, conversation
from tests.row_model import answer as add
from tests.row_model import propose, rows, template

GUESTS = Path(__file__).parents[1] / "guests"
SETS = ("--set", "metric_calls=80")


def model(request: JsonObject) -> str:
    """Adds as its prompt lets it, and writes a prompt one style further, in whatever form is wanted."""
    text = conversation(request)
    if "<current_prompt>" in text:
        return propose(request)
    style = 1 + max(map(int, re.findall(r"style (\d+)", text)), default=0)
    way = sha256(text.encode()).hexdigest()[:5]
    written = f"Add in style {style}, way {way}."
    if "within ``` blocks" in text:
        return f"```\n{written}\n```"
    if names := re.findall(r"\[\[ ## (\w+) ## \]\]", text.rpartition("Respond with")[2]):
        fields = [f"[[ ## {name} ## ]]\n{written}" for name in names if name != "completed"]
        return "\n\n".join([*fields, "[[ ## completed ## ]]"])
    if names := re.findall(r"`(\w+)`", text.rpartition("Respond with a JSON object")[2]):
        return json.dumps(dict.fromkeys(names, written))
    return add(request)


class Place:
    """A folder with a template of sums, and a command line in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], server: ModelServer) -> None:
        (folder / "rows.jsonl").write_text(rows(80))
        (folder / "sums.yaml").write_text(template())
        self.server = server
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *words: str) -> Outcome:
        return type_in(self._capsys, *words)

    def run(self, name: str, *words: str, method: str = "gepa-engine") -> Outcome:
        to = ["--model", "m", "--base-url", self.server.base_url, "--name", name]
        return self("run", str(self.folder / "sums.yaml"), "--method", method, *to, *words)

    def asked(self) -> Counter[str]:
        return Counter(conversation(one.json) for one in self.server.requests)


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key")
    monkeypatch.chdir(tmp_path)
    with ModelServer(model) as server:
        yield Place(tmp_path, capsys, server)


@pytest.fixture
def stand_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gepa package, as small as can be, in place of the real one."""
    monkeypatch.syspath_prepend(str(GUESTS))
    monkeypatch.setenv("PYTHONPATH", str(GUESTS))


def once_each(whole: Counter[str], resumed: Counter[str]) -> None:
    """Make sure that a run which was cut has bought what a whole one buys, and nothing twice.

    It has also bought the test of the prompt that was best when its budget ended.
    """
    assert not whole - resumed
    assert not {text: count for text, count in resumed.items() if count > max(1, whole[text])}


@pytest.mark.usefixtures("stand_in")
def test_it_is_tested_like_any_method_and_nothing_is_bought_twice(place: Place) -> None:
    whole = place.run("whole", *SETS)
    assert whole.code == exit_codes.OK, whole.err
    assert "Written by gepa-engine." in place("show", "whole").out
    bought, place.server.requests[:] = place.asked(), []
    assert max(bought.values()) == 1  # a prompt and a row are asked once, whoever asks for them again

    cut = place.run("cut", *SETS, "--budget-calls", "140")
    assert cut.code == exit_codes.BUDGET
    assert len(place.server.requests) < sum(bought.values())
    assert place("resume", "cut", "--budget-calls", "1000").code == exit_codes.OK
    once_each(bought, place.asked())
    assert place("best", "cut").out == place("best", "whole").out
    place.server.requests.clear()
    assert place("replay", "cut", "--speed", "0").code == exit_codes.OK
    assert not place.server.requests


@pytest.mark.usefixtures("stand_in")
def test_it_races_with_ours_on_the_same_rows(place: Place) -> None:
    words = ["race", "sums.yaml", "--methods", "gpo,gepa-engine", "--set", "gpo.max_steps=1"]
    words += ["--set", "gepa-engine.metric_calls=60", "--budget-calls", "150", "--json"]
    raced = place(*words, "--model", "m", "--base-url", place.server.base_url)
    assert raced.code == exit_codes.OK, raced.err
    found = json.loads(raced.out)
    assert {one["method"] for one in found["places"]} == {"gpo", "gepa-engine"}
    assert len({len(one["marks"]) for one in found["places"]}) == 1
    (guest,) = (one for one in found["places"] if one["method"] == "gepa-engine")
    assert guest["improved"]
    assert guest["spending"]["calls"] > 16 + 16


@pytest.mark.usefixtures("stand_in")
def test_what_the_endpoint_refuses_and_how_a_failure_is_told(place: Place) -> None:
    trespassed = place.run("trespassed", *SETS, "--seed", "13")
    assert trespassed.code == exit_codes.CALL_FAILED
    assert "gepa-engine failed: RuntimeError: refused: [401, 400, 400, 400, 400]" in trespassed.err
    lost = place.run("lost", *SETS, "--seed", "14")
    assert lost.code == exit_codes.CALL_FAILED
    assert "gepa-engine failed: RuntimeError: this search has lost its way" in lost.err


def test_a_package_that_is_missing_or_another_one_is_refused_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "guest-2.7.1.dist-info").mkdir()
    (tmp_path / "guest-2.7.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: guest\nVersion: 2.7.1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    Package("guest", "guest", ("2.6", "2.7")).check("of-guest")
    with pytest.raises(SpotuiError, match=r"tested with guest 2\.8\.x, and 2\.7\.1 is installed") as other:
        Package("guest", "guest", ("2.8",)).check("of-guest")
    assert other.value.hint == "Install it: pip install 'spotui[guest]'"
    with pytest.raises(SpotuiError, match="needs nobody-has-this, which is not installed") as missing:
        Package("nobody-has-this", "dspy", ("1",)).check("dspy-copro")
    assert missing.value.hint == "Install it: pip install 'spotui[dspy]'"


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("dspy-miprov2", ("--set", "candidates=3", "--set", "trials=4", "--set", "demos=2")),
        ("dspy-copro", ("--set", "breadth=3", "--set", "depth=2")),
        ("dspy-gepa", ("--set", "metric_calls=90")),
        ("gepa-engine", ("--set", "metric_calls=90")),
    ],
)
def test_the_real_packages_resume_where_they_were(place: Place, method: str, words: tuple[str, ...]) -> None:
    package = method.partition("-")[0]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    whole = place.run("whole", *words, method=method)
    assert whole.code in (exit_codes.OK, exit_codes.NO_IMPROVEMENT), whole.err
    bought, place.server.requests[:] = place.asked(), []
    assert place.run("cut", *words, "--budget-calls", "140", method=method).code == exit_codes.BUDGET
    resumed = place("resume", "cut", "--budget-calls", "1000")
    assert resumed.code in (exit_codes.OK, exit_codes.NO_IMPROVEMENT), resumed.err
    once_each(bought, place.asked())
