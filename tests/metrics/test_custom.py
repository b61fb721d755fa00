"""Custom metrics: what is seen of their file without running it, and what becomes of whatever they do."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotui.domain.rows import Row
from spotui.metrics.custom import MOST_BYTES, find_metric_file
from spotui.metrics.mark import MetricError
from spotui.metrics.worker import MetricWorker, UnusableMetricError
from tests.metrics.marking import fault, mark

MODULE = """\
import asyncio, decimal, fractions, functools, os, subprocess, sys
open(__file__ + ".ran", "a").write("x")

def length(answer, row):
    return min(1, len(answer) / len(row.question))

def right(answer, row):
    return answer in row.references

async def slow(answer, row, *, wait=0.0):
    await asyncio.sleep(wait)
    return 1

def broken(answer, row):
    return eval(answer, {"decimal": decimal, "fractions": fractions, "sys": sys, "os": os})

def loud(answer, row):
    print("to the output:", answer)
    print("to the errors", file=sys.stderr)
    subprocess.run(["echo", "from a program"], check=True)
    os.write(1, b"straight to it\\n")
    return 1

def endless(answer, row):
    subprocess.Popen(["sleep", "60"])
    while answer != "quick":
        pass
    return 1

def yielding(answer, row):
    if answer:
        yield 1

async def yielding_later(answer, row):
    yield 1

def shut(answer, row):
    (lambda: (yield))
    if not sys.stdout.closed:
        print("\\ud83d")
    sys.stdout.close()
    sys.stderr = None
    return 1

class Rules:
    @staticmethod
    def strict(answer, row):
        return False

    def plain(answer):
        return 1

def one(answer):
    return 1

def many(answer, row, more):
    return 1

def keyword(answer, row, *, more):
    return 1

@functools.cache
def decorated(answer):
    return 1

def any_number(*texts):
    return 1

by_lambda = lambda answer, row: 1
LIMIT = 3
if LIMIT:
    from os.path import commonprefix as imported
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_rules.py").write_text(MODULE)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "inner.py").write_text("def right(answer, row):\n    return 1\n")
    return tmp_path


Marking = Callable[..., float]


@pytest.fixture
def marking(folder: Path) -> Iterator[Marking]:
    """Marks an answer with a function, in a process that later marks of the same function share."""
    workers: dict[str, MetricWorker] = {}

    def marked(function: str, answer: str = "x", *, seconds: float = 20.0) -> float:
        file = find_metric_file(f"my_rules:{function}", folder)
        worker = workers.setdefault(function, MetricWorker(file, seconds))
        row = Row("abcd", ("x",), file="rows.jsonl", line=7)
        return asyncio.run(worker.mark(answer, row)).value

    yield marked
    for worker in workers.values():
        worker.close()


@pytest.mark.parametrize(
    "name",
    [
        "my_rules:length",
        "my_rules:slow",
        "my_rules:Rules.strict",
        "my_rules:decorated",
        "my_rules:any_number",
        "my_rules:by_lambda",
        "my_rules:imported",
        "my_rules.py:length",
        "rules.inner:right",
    ],
)
def test_looking_at_a_metric_runs_nothing(folder: Path, name: str) -> None:
    assert fault(name, folder=folder) == ""
    assert find_metric_file(name, folder).path.is_relative_to(folder)
    assert not list(folder.rglob("*.ran"))
    with pytest.raises(MetricError, match="that you have not trusted"):
        mark(name, "x", folder=folder)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("my_rules:lenght", "Did you mean `length`"),
        ("my_rules:Rules.strickt", "has no function `Rules.strickt`"),
        ("no_such_rules:right", r"needs the file .*no_such_rules\.py, which does not exist"),
        ("my_rules:LIMIT", r"line \d+: `LIMIT` of the metric my_rules:LIMIT is not a function"),
        ("my_rules:one", r"line \d+: `one` .* cannot be called with \(answer, row\)"),
        ("my_rules:many", "cannot be called"),
        ("my_rules:keyword", "cannot be called"),
        ("my_rules:yielding", r"line \d+: `yielding` .* yields values: a generator returns no number"),
        ("my_rules:yielding_later", "yields values"),
        ("my_rules:Rules.plain", "cannot be called"),
        ("cProfile:run", r"needs the file .*cProfile\.py"),
        ("shutil:rmtree", r"needs the file .*shutil\.py"),
        ("os:system", r"needs the file .*os\.py"),
        ("builtins:eval", r"needs the file .*builtins\.py"),
    ],
)
def test_a_function_that_is_not_there_is_an_error_at_once(folder: Path, name: str, word: str) -> None:
    with pytest.raises(MetricError, match=word):
        mark(name, "x", folder=folder)
    assert not list(folder.rglob("*.ran"))


def test_a_file_that_cannot_be_a_metric_is_an_error(folder: Path) -> None:
    (folder / "torn.py").write_text("def right(:\n")
    (folder / "null.py").write_bytes(b"def right(answer, row):\0")
    (folder / "deep.py").write_text("x = " + "(" * 5000)
    (folder / "huge.py").write_bytes(b"#" * (MOST_BYTES + 1))
    (folder / "folder.py").mkdir()
    (folder / "ring.py").symlink_to("ring.py")
    os.mkfifo(folder / "pipe.py")
    for name in ("torn", "null", "deep", "huge", "folder", "ring", "pipe"):
        with pytest.raises(MetricError, match=name):
            find_metric_file(f"{name}:right", folder)


def test_a_function_marks_in_a_process_of_its_own(folder: Path, marking: Marking) -> None:
    assert marking("length", "ab") == 0.5
    assert marking("length", "abcd") == marking("right") == marking("slow") == 1
    assert marking("Rules.strict") == 0
    assert marking("broken", "os.getpid() != 0") == 1
    assert marking("broken", f"os.getpid() == {os.getpid()}") == 0
    assert (folder / "my_rules.py.ran").read_text() == "x" * 5, "one import for each function, not one a mark"


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ("True", 1),
        ("0.25", 0.25),
        ("fractions.Fraction(1, 4)", 0.25),
        ("decimal.Decimal('0.75')", 0.75),
        ("__import__('numpy').float32(0.5)", 0.5),
        ("__import__('numpy').bool_(True)", 1),
        ("__import__('numpy').int64(1)", 1),
        ("1.0000000000000002", 1),
    ],
)
def test_any_real_number_is_a_mark(marking: Marking, value: str, mark: float) -> None:
    assert marking("broken", value) == mark


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("no code", "SyntaxError"),
        ("7", "returned 7, which is not a number from 0 to 1"),
        ("-0.5", "returned -0.5"),
        ("float('nan')", "returned nan"),
        ("'1'", "returned '1'"),
        ("None", "returned None"),
        ("1j", "returned 1j"),
        ("__import__('numpy').complex64(1 + 1j)", "returned np.complex64"),
        ("10**400", "OverflowError"),
        ("1/0", r"ZeroDivisionError: division by zero \(line 15 of my_rules.py\)"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("os._exit(3)", "ended its process .exit code 3"),
        ("os.abort()", "ended its process .Aborted"),
    ],
)
def test_a_function_that_fails_says_nothing_about_the_answer(
    marking: Marking, answer: str, word: str
) -> None:
    with pytest.raises(MetricError, match=word):
        marking("broken", answer)
    assert marking("broken", "1") == 1, "the next answer is marked as if nothing had happened"


def test_what_a_function_prints_goes_to_standard_error(
    marking: Marking, capsys: pytest.CaptureFixture[str]
) -> None:
    assert marking("loud", "\x1b[2Jx") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = sorted(printed.err.splitlines())
    assert lines == ["from a program", "straight to it", "to the errors", "to the output: <U+001B>[2Jx"]


def test_a_function_may_close_what_it_prints_to(marking: Marking) -> None:
    assert marking("shut") == marking("shut") == 1


def test_an_endless_loop_is_ended_and_given_up_after_three(marking: Marking) -> None:
    with pytest.raises(MetricError, match=r"took longer than 0\.3 s, and its process was ended"):
        marking("endless", seconds=0.3)
    assert marking("endless", "quick") == 1
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(MetricError, match="longer than"):
            marking("endless")
    with pytest.raises(UnusableMetricError, match="3 answers in a row"):
        marking("endless")
    assert time.monotonic() - began < 10


def test_a_cancelled_mark_ends_the_process(folder: Path) -> None:
    worker = MetricWorker(find_metric_file("my_rules:endless", folder))

    async def cancelled() -> None:
        task = asyncio.create_task(worker.mark("x", Row("?")))
        while not (folder / "my_rules.py.ran").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_a_hanging_function_ends_with_a_killed_spotui(folder: Path) -> None:
    (folder / "hang.py").write_text(
        "import os, pathlib\ndef hang(answer, row):\n"
        "    pathlib.Path(__file__).with_name('pid').write_text(str(os.getpid()))\n    while True: pass\n"
    )
    code = (
        "import asyncio, sys; from pathlib import Path; from spotui.domain.rows import Row\n"
        "from spotui.metrics.custom import find_metric_file; from spotui.metrics.worker import MetricWorker\n"
        "worker = MetricWorker(find_metric_file('hang:hang', Path(sys.argv[1])), 300)\n"
        "asyncio.run(worker.mark('x', Row('?')))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    pid = folder / "pid"
    deadline = time.monotonic() + 30
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    while Path(f"/proc/{pid.read_text()}").exists() and time.monotonic() < deadline:
        if (Path("/proc") / pid.read_text() / "stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.01)
    else:
        assert time.monotonic() < deadline, "it still runs"


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("raise OSError('no disk')\ndef right(answer, row): ...", r"OSError: no disk \(line 1 of bad.py\)"),
        ("import no_such_package\ndef right(answer, row): ...", "No module named 'no_such_package'"),
        ("import my_rules\nright = my_rules.right", "No module named 'my_rules'"),
        ("import os\nos._exit(4)\ndef right(answer, row): ...", "exit code 4"),
        ("from os import *", "has no attribute 'right'"),
    ],
)
def test_a_file_that_cannot_be_imported_marks_nothing(folder: Path, source: str, word: str) -> None:
    (folder / "bad.py").write_text(source)
    worker = MetricWorker(find_metric_file("bad:right", folder))
    with pytest.raises(UnusableMetricError, match=word):
        asyncio.run(worker.mark("x", Row("?")))
