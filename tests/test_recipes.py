"""The recipes of the documents, run as they are written there; only the cluster has another port."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.llm.batches import batch, collector
from tests.cli.test_sweep_on_a_cluster import cluster
from tests.command_line import ROOT, move_in, places, type_in
from tests.migration_model import Fleet
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.model_server.batches import Batching
from tests.row_model import propose, rows, template

PAGE = (ROOT / "docs" / "recipes.md").read_text()
TASKS = {
    "navigate": ("Do the steps lead back? Take {n} steps.", ("Yes", "No")),
    "sports_understanding": ("Is it plausible? Player {n} scored.", ("yes", "no")),
    "disambiguation_qa": ("Who is meant in case {n}?\nOptions:\n(A) one\n(B) the other", ("(A)", "(B)")),
}
SUPPORT = "prompt: Answer the customer.\nrequirements: Be polite.\ncount: None\nqa:\n" + "".join(
    f"  - question: Where is parcel {n}?\n    answer: None\n" for n in range(8)
)


def recipe(title: str) -> str:
    """The one command of a section."""
    section = PAGE.split(f"\n## {title}")[1].split("\n## ")[0]
    (command,) = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert "\n" not in command
    return str(command)


def answer(request: JsonObject) -> str | Scripted:
    """Right for every other case of the three tasks."""
    text = conversation(request)
    if not (found := re.findall(r"(?:Take|Player|case) (\d+)", text)) or "<" in text:
        return propose(request) if "<current_prompt>" in text else Fleet()(request)
    number = int(found[-1])
    task = next(one for one in TASKS.values() if one[0].split("{n}")[0] in text)
    return task[1][number % 2 if number % 3 else 0]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """All models of the recipes, in a home of the test's own."""
    monkeypatch.chdir(tmp_path)
    with ModelServer(answer, batching=Batching()) as one:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY="k", OPENAI_BASE_URL=one.base_url)
        yield one


def test_a_batch_overnight(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batch, "FIRST_LOOK", 0.005)
    monkeypatch.setattr(collector, "_LOOK", 0.005)
    (tmp_path / "support.yaml").write_text(SUPPORT)
    said = type_in(capsys, *shlex.split(recipe("Overnight"))[1:])
    assert said.code == exit_codes.OK, said.err
    assert "submitted as a batch" in said.out
    assert server.requests


@pytest.mark.filterwarnings("ignore")
def test_three_tasks_on_a_cluster(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="a cluster needs distributed: pip install 'spotui[cluster]'")
    (plan,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    small = plan.replace("max_steps: 6, candidates_per_step: 4", "max_steps: 1, candidates_per_step: 2")
    assert small != plan
    (tmp_path / "bbh.yaml").write_text(small)
    for name, (question, options) in TASKS.items():
        shutil.copy(ROOT / "examples" / "bbh-sweep" / f"{name}.yaml", tmp_path)
        cases = [{"input": question.format(n=n), "target": options[n % 2]} for n in range(12)]
        (tmp_path / f"{name}.json").write_text(json.dumps({"examples": cases}))
    with cluster(tmp_path / "dask", 1) as dask:
        address = dask.address.removeprefix("tcp://")
        words = shlex.split(recipe("Three BBH tasks").replace("127.0.0.1:8786", address))
        said = type_in(capsys, *words[1:])
    assert said.code == exit_codes.OK, said.err
    table = (tmp_path / "bbh.md").read_text()
    assert "| contender | navigate | sports_understanding | disambiguation_qa | macro |" in table
    assert "paired row by row within 3 tasks" in table
    assert len(server.requests) <= 10_000
    report = type_in(capsys, "report", "bbh", "--md", "-o", "-").out
    for part in ("## Contenders against each other", "| navigate | gpo |", "| **all** | **6** |", "## Runs"):
        assert part in report, part
    assert "spotui sweep bbh.yaml --on=dask://" in report
    assert type_in(capsys, "report", "bbh").code == exit_codes.OK
    assert "<svg " in (tmp_path / "bbh.html").read_text()


def test_a_migration_with_a_receipt(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "support.yaml").write_text(SUPPORT)
    said = type_in(capsys, *shlex.split(recipe("A move to another model"))[1:])
    assert said.code == exit_codes.OK, said.err
    assert len(server.requests) <= 2000
    receipt = (tmp_path / "receipt.html").read_text()
    assert "gpt-4.1-mini" in receipt
    assert said.out.splitlines()[-2] in receipt


def test_a_pull_request_with_a_worse_prompt(server: ModelServer, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "rows.jsonl").write_text(rows(60))
    for style, what in ((6, "main"), (0, "worse")):
        (tmp_path / "sums.yaml").write_text(template().replace("style 0", f"style {style}"))
        if what == "main":
            git("init", "-q")
        git("add", "sums.yaml", "rows.jsonl")
        git("commit", "-qm", what)
        if what == "main":
            git("update-ref", "refs/remotes/origin/main", "HEAD")
    env = places(tmp_path, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)
    done = subprocess.run(
        ["bash", "-c", recipe("A pull request")], cwd=tmp_path, env=env, check=False, capture_output=True
    )
    assert done.returncode == exit_codes.GATE, done.stderr
    assert b"Failed: seed is worse than before.yaml: -" in done.stdout
