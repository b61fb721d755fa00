"""Rows with their marks and answers, from what runs left behind."""

import re
from pathlib import Path

import pytest

from spotui.view.round_prompts import answer_keys, in_words, read_prompts, read_rows, the_seed
from spotui.workspace.journal_reader import read_replies
from spotui.workspace.rows_file import read_rows_file
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.row_model import adding, answer, kind_of, template, unending
from tests.runs.starting import Stage
from tests.view.test_picture import painted
from tests.view.test_retell_scores import SMALL, retold


def _signature(prompt: str) -> str:
    """What tells the answers of one prompt from those of another: no two proposals have the same way."""
    ways = re.findall(r"way (\d+)", prompt)
    return " " + "i" * int(ways[-1]) if ways else ""


def signing(request: JsonObject) -> str | Scripted:
    """The same model, whose answers bear the way of the prompt."""
    if kind_of(request) != "execute":
        return unending(request)
    return answer(request) + _signature(conversation(request))


@pytest.mark.parametrize("method", ["gpo", "gradsum"])
def test_every_mark_stands_beside_the_answer_that_got_it(tmp_path: Path, method: str) -> None:
    with ModelServer(signing) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, method, count=60, parameters=SMALL[method])
        stage.go(project)
    picture, data = painted(*retold(project)), read_rows_file(project.rows)
    assert data is not None
    looked_at = partly = 0
    for number in picture.rounds:
        for prompt in read_prompts(picture, number):
            keys = [key for key in answer_keys(prompt) if key.purpose == "score_eval"]
            replies = read_replies(project.journal, keys)
            assert len(replies) == len(prompt.marks)
            partly += len(prompt.marks) < len(data.eval)
            for (position, mark), key in zip(prompt.marks.items(), keys, strict=True):
                (said,) = re.findall(r"\d+", replies[key])
                assert replies[key].endswith("." + _signature(prompt.text))
                assert (said == data.eval[position].references[0]) == (mark == 1)
                looked_at += 1
    assert looked_at > 60
    assert bool(partly) == (method == "gradsum")


def test_the_evaluator_s_reason_stands_below_the_answer(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        text = template(metric="judge", criteria="The sum is even.")
        project = scored_project(stage, "gpo", text=text, count=30, parameters={"max_steps": 1})
        stage.go(project)
    picture, data = painted(*retold(project)), read_rows_file(project.rows)
    assert data is not None
    seed = the_seed(picture)
    assert seed is not None
    passages = read_rows([seed], data.eval, read_replies(project.journal, answer_keys(seed)))
    texts = {part.text for passage in passages for part in passage.parts}
    assert any(text.endswith("\nEvaluator: It is even.") for text in texts)
    assert any(text.endswith("\nEvaluator: It is odd.") for text in texts)
    assert in_words(seed, seed) == "0 rows won, 0 lost"
