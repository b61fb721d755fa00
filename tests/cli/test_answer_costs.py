"""Price and latency of an answer beside the score, wherever prompts are compared."""

import json
from pathlib import Path

from spotui.cli import exit_codes
from spotui.settings.config_file import ModelConfig, PriceConfig
from spotui.settings.save import save_model
from tests.cli.conftest import Shell
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template

GPO = "method: gpo\nparameters:\n  max_steps: 2\n  candidates_per_step: 2\n"


def test_price_and_latency_are_beside_the_score_and_unknown_prices_are_left_out(
    shell: Shell, home: Path
) -> None:
    (home / "rows.jsonl").write_text(rows(60))
    (home / "sums.yaml").write_text(template() + GPO)
    with ModelServer(racing) as server:
        save_model("priced", ModelConfig(base_url=server.base_url, price=PriceConfig(input=1.0, output=2.0)))
        run = ("run", "sums.yaml", "--model", "priced", "--prefer", "cheaper")
        assert shell(*run).code == exit_codes.OK
        shown = shell("show", "sums").out
        table, pareto = shown.split("Score against the price of an answer, of ")
        heads = table.splitlines()[1].split()
        assert heads[-3:] == ["$/answer", "s/answer", "modification"]
        front = [line for line in pareto.splitlines() if line.startswith("◆")]
        assert front
        assert all("$0.0000" in line for line in front)
        whole = json.loads(shell("show", "sums", "--json").out)
        costs = [one["per_answer"] for one in whole["rounds"]]
        for one in costs:
            assert one["answers"] == 12
            expected = (one["prompt_tokens"] + 2 * one["completion_tokens"]) / 1e6
            assert abs(one["usd"] - expected) < 1e-12
            assert 0 < one["seconds"] < 5
        best = shell("show", "sums", "best").out
        assert "An answer: $0.0000" in best
        assert "(mean), 0." in best
        assert "s (median), " in best
        assert shell("report", "sums", "--md").code == exit_codes.OK
        report = (home / "sums.md").read_text()
        assert "An answer with this prompt: $0.0000" in report
        assert "Score against price" in report
        scored = shell("score", "sums.yaml", "--prompt", "best", "--against", "seed", "--model", "priced")
        assert scored.out.count("\nAn answer with ") == 2
        free = shell("score", "sums.yaml", "--model", "m", "--base-url", server.base_url)
        assert " s (median), 9 tokens in, 4 out" in free.out
        assert "$" not in free.out
