"""The rules by which SPO's reference reads and writes a workspace, as its documents and files show them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def best_entry(project: Path) -> Entry:
    """What the reference optimises from: of the rounds that succeeded, the one with the highest number."""
    data = json.loads((project / "prompts" / "results.json").read_text(encoding="utf-8"))
    entries = sorted(data, key=lambda entry: entry["round"], reverse=True)
    for entry in entries:
        if entry["succeed"]:
            return {key: entry[key] for key in ("round", "succeed", "prompt", "answers")}
    raise LookupError("no round has succeeded")


def listing(project: Path) -> tuple[int, int, list[str]]:
    """What its web apps show: how many rounds, how many succeeded, and a text for each round."""
    data = json.loads((project / "prompts" / "results.json").read_text(encoding="utf-8"))
    texts = [
        "\n".join(
            [
                f"{entry['round']} {'won' if entry['succeed'] else 'lost'} {int(entry['tokens'])} tokens",
                datetime.strptime(entry["time"], "%Y-%m-%d %H:%M:%S.%f").isoformat(),  # noqa: DTZ007 - it is naive
                entry["prompt"],
                *(f"{one['question']}: {one['answer']}" for one in entry["answers"]),
            ]
        )
        for entry in data
    ]
    return len(data), sum(1 for entry in data if entry["succeed"]), texts


def write_round(
    project: Path, number: int, *, prompt: object = "", answers: list[Entry] | None = None, succeed: bool
) -> None:
    """What the reference leaves behind at the end of a round."""
    prompts = project / "prompts"
    folder = prompts / f"round_{number}"
    folder.mkdir(parents=True, exist_ok=True)
    results = prompts / "results.json"
    entries: list[Entry] = json.loads(results.read_text()) if results.exists() else []
    answers = [{"question": "Q?", "answer": "A."}] if answers is None else answers
    (folder / "prompt.txt").write_text(str(prompt), encoding="utf-8")
    (folder / "answers.txt").write_text(
        "".join(f"Question:\n{one['question']}\nAnswer:\n{one['answer']}\n\n" for one in answers),
        encoding="utf-8",
    )
    entries.append(
        {
            "round": number,
            "answers": answers,
            "prompt": prompt,
            "succeed": succeed,
            "tokens": 21,
            "time": datetime(2025, 2, 3, 4, 5, 6, 7),  # noqa: DTZ001 - naive, as it writes it
        }
    )
    results.write_text(json.dumps(entries, default=str, indent=4))
