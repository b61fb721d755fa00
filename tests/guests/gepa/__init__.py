"""A stand-in for the gepa package: the same calls, and a search that is as simple as can be."""

import http.client
import json
import os
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

ALLOWED = {
    *("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("HOME", "TMPDIR", "PYTHONHASHSEED", "LC_CTYPE"),
}


def optimize(
    seed_candidate: dict[str, str],
    trainset: list[Any],
    valset: list[Any],
    adapter: Any,
    reflection_lm: Any,
    max_metric_calls: int,
    reflection_minibatch_size: int,
    **more: Any,
) -> Any:
    """Write from a few train rows, and keep what is no worse on the others."""
    if secrets := set(os.environ) - ALLOWED:
        raise RuntimeError(f"the process was given {sorted(secrets)}")
    if more["seed"] == 13:
        _trespass(adapter._door)
    if more["seed"] == 14:
        raise RuntimeError("this search has lost its way")
    best, size = seed_candidate, reflection_minibatch_size
    known = sum(adapter.evaluate(valset, best).scores)
    for number in range(max_metric_calls // (len(valset) + size)):
        batch = trainset[number * size % len(trainset) :][:size]
        found = adapter.evaluate([*batch, batch[0]], best, capture_traces=True)  # one of them twice at once
        shown = adapter.make_reflective_dataset(best, found, ["prompt"])["prompt"]
        assert all({"Inputs", "Generated Outputs", "Feedback"} == one.keys() for one in shown)
        reply = reflection_lm(f"```\n{best['prompt']}\n```\nwithin ``` blocks\n{json.dumps(shown)}")
        new = {"prompt": reply.split("```")[1].strip()}
        if (score := sum(adapter.evaluate(valset, new).scores)) >= known:
            best, known = new, score
    return SimpleNamespace(best_candidate=best)


def _trespass(door: Any) -> None:
    """Ask for what the endpoint must not give."""
    to = urlsplit(door.address)
    refused = []
    for key, path, data in (
        ("guessed", "/task", None),
        (door.key, "/answer", {"prompt": "x", "split": "test", "position": 0}),
        (door.key, "/answer", {"prompt": "x", "split": "eval", "position": 10_000}),
        (door.key, "/v1/chat/completions", {"model": "gpt-4o", "messages": []}),
        (door.key, "/v1/chat/completions", {"model": "optimizer", "messages": "none"}),
    ):
        connection = http.client.HTTPConnection(to.hostname or "", to.port)
        verb = "GET" if data is None else "POST"
        connection.request(verb, path, json.dumps(data), {"Authorization": f"Bearer {key}"})
        refused.append(connection.getresponse().status)
        connection.close()
    raise RuntimeError(f"refused: {refused}")
