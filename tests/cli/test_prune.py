"""prune: which sentences of a prompt can go, with a receipt that claims what its interval supports."""

import json
import re
from hashlib import sha256
from pathlib import Path

from spotui.cli import exit_codes
from tests.cli.conftest import Shell
from tests.command_line import HELD_OUT
from tests.model_server import JsonObject, ModelServer, conversation
from tests.row_model import rows, template
from tests.spo_model import role_of

_SUM = re.compile(r"What is (\d+) plus (\d+)\?")

PROMPT = """\
You are a famous mathematician. Add the two numbers exactly. Never forget to carry the one.
Think about birds.

- Be polite.
- Put the sum last.

<form>
{question}
</form>
"""
TEXT = template().replace("Add in style 0.", "|\n" + "".join(f"  {one}\n" for one in PROMPT.splitlines()))
TEXT = TEXT.replace("prompt: |", "prompt: |-")


def adding(request: JsonObject) -> str:
    """Right on every row with two of the sentences, and wrong on some or on all without."""
    text = conversation(request)
    one, other = map(int, _SUM.findall(text)[-1])
    luck = sha256(f"{one}+{other}".encode()).digest()[0] / 256
    is_wrong = "exactly" not in text or ("carry" not in text and luck < 0.4)
    return f"It is {one + other + is_wrong}."


def test_sentences_that_do_nothing_go_and_the_receipt_says_what_the_interval_supports(
    shell: Shell, home: Path
) -> None:
    (home / "rows.jsonl").write_text(rows(150))
    (home / "sums.yaml").write_text(TEXT)
    with ModelServer(adding) as server:
        asking = ("--model", "m", "--base-url", server.base_url)
        ran = shell("run", "sums.yaml", *asking, "--method", "gpo", "--max-rounds", "1")
        assert ran.code == exit_codes.NO_IMPROVEMENT
        before = len(server.requests)
        trust = ("--trust-address", server.base_url)
        offered = json.loads(shell("prune", "sums", "--estimate", "--json", *trust).out)
        assert (offered["known"], len(server.requests)) == (None, before)
        assert shell("export", "sums", "--round", "pruned").code == exit_codes.FAILED

        short_of = shell("prune", "sums", "--budget-calls", "40", *trust)
        assert short_of.code == exit_codes.BUDGET
        assert "the same command resumes" in short_of.err
        said = shell("prune", "sums", *trust)
        assert said.code == exit_codes.OK
        bought = len(server.requests) - before
        assert bought <= offered["calls"]
        # Nothing is bought twice, not even with another margin, and the run's own answers are known.
        asked = [conversation(one.json) for one in server.requests]
        assert len(asked) == len({*asked})
        assert "No loss of more than 5 points: +0.0 (" in said.out
        assert "on 90 unseen rows (0 won, 0 lost)" in said.out
        assert "  - You are a famous mathematician.\n  - Think about birds.\n  - Be polite." in "".join(
            line.replace("- - ", "- ") + "\n" for line in said.out.splitlines()
        )
        again = json.loads(shell("prune", "sums", "--json", *trust).out)
        assert (again["calls"], again["verdict"], again["kept_safe"]) == (0, "within_margin", 3)
        assert again["full"] == PROMPT.rstrip("\n")
        assert again["tokens_after"] < again["tokens_before"]
        assert again["prompt"] == (
            "Add the two numbers exactly. Never forget to carry the one.\n\n<form>\n{question}\n</form>"
        )
        strict = shell("prune", "sums", "--margin", "0", *trust)
        assert strict.code == exit_codes.NO_IMPROVEMENT
        assert "cannot be ruled out" in strict.out
        assert shell("export", "sums", "--round", "pruned").out == again["prompt"] + "\n"
        assert shell("best", "sums").out == PROMPT
        refused = shell("export", "sums", "--round", "pruned", "--to", "receipt")
        assert refused.code == exit_codes.USAGE
        wrong = shell("prune", "sums", "--margin", "a lot")
        assert wrong.code == exit_codes.USAGE


def reasoning(request: JsonObject) -> str:
    """Answers with a reason where the prompt wants one; the judge wants one, too."""
    text = conversation(request)
    if role_of(request) == "judge":
        sides = text.split("<answers_of_A>")[1].split("<answers_of_B>")
        with_reason = ["because" in side for side in sides]
        choice = "A" if with_reason[0] > with_reason[1] else "B" if with_reason[1] > with_reason[0] else None
        return f"<analyse>x</analyse><choose>{choice or 'tie'}</choose>"
    return "It is so because of physics." if "reason" in text else "It is so."


def test_without_rows_a_judge_compares_and_few_questions_prove_nothing(shell: Shell, home: Path) -> None:
    prompt = "Answer the question. Give a reason. Enjoy the weather."
    head = f"prompt: {prompt}\nrequirements: Give a cause.\ncount: None\nqa:\n"
    questions = "".join(f"  - question: Why is {one} so?\n    answer: None\n" for one in ("it", "he", "she"))
    (home / "why.yaml").write_text(head + questions + HELD_OUT)
    with ModelServer(reasoning) as server:
        asking = ("--model", "m", "--base-url", server.base_url)
        shell("run", "why.yaml", *asking, "--max-rounds", "1", "--judge", "balanced")
        found = shell("prune", "why", "--trust-address", server.base_url, "--json")
        data = json.loads(found.out)
        assert (data["by"], data["rows"], data["is_unseen"], data["verdict"]) == ("duels", 1, True, "unsure")
        assert data["prompt"] == "Give a reason."
        assert found.code == exit_codes.NO_IMPROVEMENT
        assert "cannot be ruled out" in data["sentence"]
