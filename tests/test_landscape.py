"""The planted landscapes of benchmarks/landscape: what they promise to those who measure on them."""

import random
from pathlib import Path

import pytest

from benchmarks.landscape.__main__ import main
from benchmarks.landscape.world import SEED_PROMPT, VOCABULARY, Models, World, sentences


@pytest.mark.parametrize("number", [1, 2])
def test_marks_are_fixed_and_their_mean_is_the_true_value(number: int) -> None:
    world, again = World(number), World(number)
    prompt = f"{SEED_PROMPT} {VOCABULARY[7]} {VOCABULARY[90]}"
    marks = [world.mark(prompt, row) for row in range(4000)]
    assert marks[:50] == [
        again.mark(f"{VOCABULARY[90]} {SEED_PROMPT}\n{VOCABULARY[7]}", row) for row in range(50)
    ]
    assert abs(sum(marks) / len(marks) - world.value(prompt)) < 0.03


def test_there_is_something_to_gain_unless_the_world_is_flat() -> None:
    world, flat = World(3), World(3, headroom=False)
    assert world.best > world.value(SEED_PROMPT) + 0.2
    assert flat.best == flat.value(SEED_PROMPT)
    assert flat.value("Think about it step by step.") <= flat.value(SEED_PROMPT)


def test_a_request_as_methods_write_it_is_answered_in_its_form() -> None:
    world = World(4)
    models = Models(world, quality=1.0)
    row = next(number for number in range(99) if world.mark(SEED_PROMPT, number))
    assert models.reply(f"Row {row}.\n{SEED_PROMPT}") == world.reference(row)
    meta = (
        f"Its score is 40 of 100.\n<current_prompt>\n{SEED_PROMPT}\n</current_prompt>\n<prompt>...</prompt>"
    )
    replies = {models.reply(meta, nonce) for nonce in range(9)}
    assert len(replies) > 1
    assert all(set(sentences(reply)) for reply in replies)
    answers = "<answers_of_{0}>\nQuestion 1: Row {1}.\nAnswer 1: {2}\n</answers_of_{0}>"
    wrong = {"green": "red", "red": "green"}[world.reference(row)]
    ballot = answers.format("A", row, wrong) + answers.format("B", row, world.reference(row))
    votes = [models.reply(ballot, nonce).endswith("<choose>B</choose>") for nonce in range(200)]
    assert 0.7 < sum(votes) / len(votes) < 0.9


def test_well_chosen_edits_gain_more_than_random_ones() -> None:
    def gain(quality: float) -> float:
        rng = random.Random(5)
        worlds = [World(number) for number in range(20)]
        return sum(
            world.value(Models(world, quality=quality).edit(SEED_PROMPT, rng)) - world.value(SEED_PROMPT)
            for world in worlds
        )

    assert gain(0.0) < 0.0 < gain(1.0)


def test_runs_that_ended_are_not_run_again_and_a_torn_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs.jsonl"
    arguments = ["landscape", "--worlds", "2", "--out", str(out), "--only", "random", "--quality", "1"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    first, whole = capsys.readouterr().out, out.read_bytes()
    assert "random, paired" in first
    assert "search, not language" in first
    out.write_bytes(whole[:-10])
    main()
    assert capsys.readouterr().out == first
    assert out.read_bytes().startswith(whole[:-10])
    mended = out.read_bytes().split()
    main()
    assert out.read_bytes().split() == mended
    monkeypatch.setattr("sys.argv", [*arguments, "--only", "gpt"])
    with pytest.raises(SystemExit):
        main()
    assert "--only matches no searcher" in capsys.readouterr().err
