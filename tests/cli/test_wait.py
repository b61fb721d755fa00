"""Runs in batches: they leave while the provider works, and end as live ones do."""

import json
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.llm.batches import batch, collector
from tests.cli.conftest import Shell
from tests.command_line import move_in
from tests.model_server import ModelServer, conversation
from tests.model_server.batches import Batching
from tests.row_model import racing, rows
from tests.row_model import template as scored_template
from tests.spo_model import climbing


def bought(server: ModelServer) -> list[str]:
    return sorted(conversation(one.json) for one in server.requests)


def test_a_run_in_batches_leaves_and_ends_as_a_live_one(
    shell: Shell, template: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(collector, "_LOOK", 0.02)
    words = ("run", template, "--model", "gpt-4o-mini", "--max-rounds", "2")
    with ModelServer(climbing) as live:
        move_in(monkeypatch, home / "live", OPENAI_API_KEY="k", OPENAI_BASE_URL=live.base_url)
        assert shell(*words).code == exit_codes.OK
        assert "waits for no batch" in shell("wait", "why").out
    with ModelServer(climbing, batching=Batching(seconds=0.4)) as server:
        move_in(monkeypatch, home, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)
        said = shell(*words, "--batch", "all", "--no-wait")
        assert said.code == exit_codes.WAITING
        assert "3 calls to gpt-4o-mini are submitted as a batch, batch_1. It ends by" in said.out
        assert "Waiting for 1 batch with 3 calls in all." in said.out
        assert "collect it: spotui wait why" in said.out
        assert "In batches: the run waits for about " in said.err
        assert json.loads(shell("list", "--json").out)["state"] == "waiting"
        refused = shell("wait", "why", "--give-up", "batch_7")
        assert refused.code == exit_codes.FAILED
        assert "It waits for batch_1." in refused.err
        waits = 1
        while (said := shell("wait", "why", "--no-wait")).code == exit_codes.WAITING:
            waits += 1
        assert said.code == exit_codes.OK
        assert waits > 2
        assert bought(server) == bought(live)
    results = [
        one / "data" / "workspace" / "why" / "prompts" / "results.json" for one in (home, home / "live")
    ]
    [batched, alone] = [
        [(one["round"], one["prompt"], one["answers"]) for one in json.loads(path.read_text())]
        for path in results
    ]
    assert batched == alone


def test_what_measures_and_compares_goes_out_in_batches_too(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(collector, "_LOOK", 0.02)
    (home / "rows.jsonl").write_text(rows(40))
    (home / "sums.yaml").write_text(scored_template() + "method: gpo\nparameters: {max_steps: 1}\n")
    (home / "plan.yaml").write_text(
        "templates: [sums.yaml]\nmethods: [gpo, gradsum]\nmodels: [gpt-4o-mini]\n"
    )
    with ModelServer(racing, batching=Batching(seconds=0.1)) as server:
        move_in(monkeypatch, home, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.base_url)
        batched = ("--model", "gpt-4o-mini", "--batch", "all", "--yes")
        said = shell("score", "sums.yaml", *batched)
        assert said.code == exit_codes.OK
        assert "on 24 test rows" in said.out
        known = len(server.requests)
        assert shell("score", "sums.yaml", *batched).code == exit_codes.OK
        assert len(server.requests) == known
        assert shell("headroom", "sums.yaml", *batched).code in {exit_codes.OK, exit_codes.NO_HEADROOM}
        short = ("--set", "gradsum.iterations=1")
        said = shell("race", "sums.yaml", "--methods", "gpo,gradsum", *batched, *short)
        assert said.code == exit_codes.OK
        assert "rows won" in said.out
        said = shell("sweep", "plan.yaml", "--batch", "all", "--yes", "--budget-calls", "700")
        assert "A run waits for at most " in said.err
        assert said.code in {exit_codes.OK, exit_codes.BUDGET}
    assert len(server.requests) == sum(len(one.rows) for one in server.batches.taken)
