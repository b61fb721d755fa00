"""A file of a project that holds wrong values: every verb says so in a sentence, or does without it."""

import copy
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotui.cli import exit_codes, main
from tests.command_line import HELD_OUT, TEMPLATE, move_in, write_template
from tests.model_server import JsonObject, ModelServer, Scripted
from tests.row_model import adding, rows, template
from tests.spo_model import climbing

VALUES = st.sampled_from(
    [
        *(None, True, "", "x", "2026-03-01", -1, 0, 3, 10**6, 10**18, 10**30, 10**400, -0.5, 1e308, 5e-324),
        *([], {}, [None], {"x": 1}, ["x"] * 3, "\u202e", "0001-01-01T00:00:00Z", "2026-03-01T00:00:00"),
    ]
)
VERBS = (
    *("list", "show {}", "show {} 2", "show {} --json", "diff {}", "export {}", "replay {} --speed 0"),
    *("branch {} --round 2 --as other", "resume {}", "resume {} --max-rounds 5"),
)
READING = ("list", "show", "diff")
"""Verbs that write nothing."""

PROJECTS = ("why", "sums")
FINE = {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
CODES = {exit_codes.FAILED, exit_codes.USAGE, exit_codes.BUDGET, exit_codes.CALL_FAILED, exit_codes.UNMARKED}
GPO = "method: gpo\nparameters:\n  max_steps: 2\n  candidates_per_step: 2\n"

a_project = st.sampled_from(PROJECTS)
a_verb = st.sampled_from(VERBS)


def either(request: JsonObject) -> str | Scripted:
    """Plays the part that a run's model is named after."""
    return climbing(request) if request["model"] == "why.yaml" else adding(request)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a run of each kind that has ended, beside the server that they asked."""
    home = tmp_path_factory.mktemp("sound")
    workspace = home / "data" / "workspace"
    (home / "rows.jsonl").write_text(rows(30))
    with pytest.MonkeyPatch.context() as patch, ModelServer(either) as server:
        move_in(patch, home, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)
        for text, name in ((TEMPLATE + HELD_OUT, "why.yaml"), (template() + GPO, "sums.yaml")):
            words = ("--model", name, "--max-rounds", "3", "--budget-calls", "900")
            assert typed("run", write_template(home, text, name), *words)[0] in FINE
        shutil.copytree(workspace, home / "copy")
        for name in PROJECTS:
            for verb in VERBS:  # each of them works on what is sound
                assert typed(*verb.format(name).split())[0] in FINE, verb
            shutil.rmtree(workspace / "other")
        shutil.rmtree(workspace)
        (home / "copy").rename(workspace)
        yield workspace


def typed(*words: str) -> tuple[int, str]:
    """The exit code of a command in this process, and what it said on standard error."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as left:
            code = int(left.code or 0)
    return code, err.getvalue()


def places_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value is, and where everything in it is."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places_in(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places_in(inner, (*at, index))


def mutated(value: Any, data: st.DataObject) -> Any:
    """The same with one thing in it replaced or taken out."""
    changed = copy.deepcopy(value)
    at = data.draw(st.sampled_from([place for place in places_in(value) if place]))
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    if data.draw(st.integers(0, 4)) == 0:
        del inner[at[-1]]
    else:
        inner[at[-1]] = data.draw(VALUES)
    return changed


@contextmanager
def unchanged(workspace: Path) -> Iterator[None]:
    """Put everything back."""
    before = workspace.with_name("before")
    shutil.copytree(workspace, before)
    try:
        yield
    finally:
        shutil.rmtree(workspace)
        before.rename(workspace)


def check(workspace: Path, name: str, file: str, content: str | bytes, verb: str) -> None:
    """Put a content into a file of a project, type a command, and put everything back."""
    written = content.encode() if isinstance(content, str) else content
    sound = (workspace / name / file).read_bytes()
    with nullcontext() if verb.startswith(READING) else unchanged(workspace):
        (workspace / name / file).write_bytes(written)
        try:
            code, err = typed(*verb.format(name).split())
            after = (workspace / name / file).read_bytes()
        finally:
            (workspace / name / file).write_bytes(sound)
    assert "Traceback" not in err
    # A changed limit can be a valid one, such as a moment of time, and ends the run that goes on.
    is_spent = code == exit_codes.BUDGET and file == "run.yaml" and verb.startswith("resume")
    assert code in FINE or is_spent or (code in CODES and err.startswith(("spotui: ", "Expected: "))), err
    assert after.startswith(written) or is_only_torn(written, after)


def is_only_torn(before: bytes, after: bytes) -> bool:
    """Whether nothing but a last line that is not JSON was taken away."""
    lines = before.splitlines(keepends=True)
    try:
        json.loads(lines[-1])
    except ValueError:
        return after.startswith(b"".join(lines[:-1]))
    return not lines[-1].endswith(b"\n") and after.startswith(b"".join(lines[:-1]))


thorough = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(data=st.data(), name=a_project, verb=a_verb)
def test_a_journal_with_a_wrong_line_is_explained(
    sound: Path, data: st.DataObject, name: str, verb: str
) -> None:
    lines = (sound / name / "journal.jsonl").read_text().splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = json.dumps(mutated(json.loads(lines[number]), data))
    check(sound, name, "journal.jsonl", "\n".join(lines) + "\n", verb)


@thorough
@given(data=st.data(), name=a_project, verb=a_verb)
def test_lines_of_a_journal_in_another_order_or_twice_are_explained(
    sound: Path, data: st.DataObject, name: str, verb: str
) -> None:
    lines = (sound / name / "journal.jsonl").read_text().splitlines()
    one, other = data.draw(st.tuples(*[st.integers(0, len(lines) - 1)] * 2))
    match data.draw(st.sampled_from(["swapped", "twice", "gone"])):
        case "swapped":
            lines[one], lines[other] = lines[other], lines[one]
        case "twice":
            lines.insert(one, lines[other])
        case _:
            del lines[one]
    check(sound, name, "journal.jsonl", "\n".join(lines) + "\n", verb)


@thorough
@given(data=st.data(), name=a_project, verb=a_verb)
def test_a_run_yaml_with_a_wrong_value_is_explained(
    sound: Path, data: st.DataObject, name: str, verb: str
) -> None:
    snapshot = yaml.safe_load((sound / name / "run.yaml").read_text())
    check(sound, name, "run.yaml", yaml.safe_dump(mutated(snapshot, data), sort_keys=False), verb)


def test_a_list_in_the_place_of_any_setting_is_explained(sound: Path) -> None:
    for name in PROJECTS:
        snapshot = yaml.safe_load((sound / name / "run.yaml").read_text())
        for key in snapshot["settings"]:
            changed = snapshot | {"settings": snapshot["settings"] | {key: [None]}}
            check(sound, name, "run.yaml", yaml.safe_dump(changed, sort_keys=False), "show {}")


DEEP = 200_000


def broken(content: bytes, data: st.DataObject) -> bytes:
    """The same with some of its bytes flipped, taken out, or replaced by brackets without end."""
    start = data.draw(st.integers(0, len(content) - 1))
    end = min(len(content), start + data.draw(st.sampled_from([1, 1, 1, 2, 40, 4096])))
    match data.draw(st.sampled_from(["flipped", "gone", "zeroed", "cut", "deep", "added"])):
        case "flipped":
            mask = data.draw(st.integers(1, 255))
            return content[:start] + bytes(byte ^ mask for byte in content[start:end]) + content[end:]
        case "gone":
            return content[:start] + content[end:]
        case "zeroed":
            return content[:start] + b"\0" * (end - start) + content[end:]
        case "cut":
            return content[:start]
        case "deep":
            return content[:start] + b"[" * DEEP + content[start:]
        case _:
            return content[:start] + data.draw(st.binary(min_size=1, max_size=20)) + content[start:]


@thorough
@given(data=st.data(), name=a_project, verb=a_verb, file=st.sampled_from(["journal.jsonl", "run.yaml"]))
def test_broken_bytes_are_explained(
    sound: Path, data: st.DataObject, name: str, verb: str, file: str
) -> None:
    check(sound, name, file, broken((sound / name / file).read_bytes(), data), verb)


@pytest.mark.parametrize("verb", ["list", "show {}", "resume {}"])
@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("call", "reply", {"text": 3}),
        ("call", "request", []),
        ("call", "at", "2026-03-01T00:00:00"),
        ("session", "pid", "x"),
        ("round", "outcome", "best"),
        ("limits", "changes", {"calls": -1}),
        ("limits", "changes", {"usd": 1e12}),
        ("limits", "changes", {"speed": 3}),
    ],
)
def test_the_line_is_named(sound: Path, kind: str, field: str, value: object, verb: str) -> None:
    lines = (sound / "why" / "journal.jsonl").read_text().splitlines()
    lines.append(json.dumps({"kind": "limits", "changes": {}, "at": json.loads(lines[-1])["at"]}))
    number = next(place for place, line in enumerate(lines) if json.loads(line)["kind"] == kind)
    lines[number] = json.dumps({**json.loads(lines[number]), field: value}, separators=(",", ":"))
    before = (sound / "why" / "journal.jsonl").read_text()
    try:
        (sound / "why" / "journal.jsonl").write_text("\n".join(lines) + "\n")
        code, err = typed(*verb.format("why").split())
    finally:
        (sound / "why" / "journal.jsonl").write_text(before)
    if verb == "resume {}":
        assert (code, f"Line {number + 1} of {sound / 'why' / 'journal.jsonl'} is damaged" in err) == (
            1,
            True,
        )
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("max_rounds", 0, "run.max_rounds must be a whole number from 1 to 10000, not 0"),
        ("max_rounds", 10**9, "run.max_rounds must be a whole number from 1 to 10000"),
        ("budget", {"calls": -3}, "budget.calls must be a whole number, 1 or more, or none, not -3"),
        ("budget", {"usd": float("nan")}, "budget.usd must be an amount in USD, more than 0"),
        ("budget", {"minutes": float("inf")}, "budget.minutes must be minutes, more than 0"),
        ("call_timeout", -1.0, "run.call_timeout must be seconds, more than 0 and up to 86400"),
        ("base_url", "ftp://x", "base_url must be a URL"),
        ("seed", "x", "run.seed must be a whole number, 0 or more, not 'x'"),
    ],
)
def test_what_a_flag_refuses_does_not_come_in_by_run_yaml(
    sound: Path, key: str, value: object, words: str
) -> None:
    path = sound / "why" / "run.yaml"
    before = path.read_text()
    snapshot = yaml.safe_load(before)
    snapshot["settings"][key] = value
    try:
        path.write_text(yaml.safe_dump(snapshot))
        code, err = typed("resume", "why")
    finally:
        path.write_text(before)
    assert code == exit_codes.FAILED
    assert f"{path} are damaged" in err
    assert words in err
