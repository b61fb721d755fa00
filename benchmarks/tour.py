"""Makes the recorded run of the tour: `python -m benchmarks.tour`, which takes about three minutes.

It runs the example `support-reply` against the model of `tour_model.py`, whose replies were written by hand,
and keeps the journal without the requests, which nobody reads again. It has to be made again when what a run
asks its models has changed; a test tells.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.tour_model import reply
from spotui.domain.records import CallLine, Line, SessionLine
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Workspace
from tests.command_line import places
from tests.model_server import ModelServer

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "examples" / "tour"
ROUNDS = 7


def main() -> None:
    """Run it, and keep what the tour needs."""
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        with ModelServer(reply) as model:
            env = places(Path(folder), OPENAI_API_KEY="none", OPENAI_BASE_URL=model.base_url)
            words = [
                "run",
                "support-reply",
                "--name",
                "tour",
                "--model",
                "scripted-model",
                "--plain",
                "--yes",
            ]
            words += ["--max-rounds", str(ROUNDS), *sys.argv[1:]]
            subprocess.run(
                [sys.executable, "-m", "spotui", *words], env=env | {"PYTHONPATH": str(ROOT)}, check=False
            )
        keep(Path(folder) / "data" / "workspace")


def keep(workspace: Path) -> None:
    """Copy the run without its requests, and without a word about the machine it was made on."""
    project = Workspace(workspace).existing("tour")
    TOUR.mkdir(exist_ok=True)
    (TOUR / "run.yaml").write_bytes(project.snapshot.read_bytes())
    with Journal(project.journal) as journal, (TOUR / "journal.jsonl").open("wb") as file:
        kept: Line
        for line in journal.lines():
            match line:
                case CallLine():
                    model = msgspec.json.decode(line.request)["model"]
                    request = msgspec.json.encode({"model": model, "messages": []})
                    kept = msgspec.structs.replace(line, request=msgspec.Raw(request))
                case SessionLine():
                    kept = msgspec.structs.replace(line, pid=1, host="tour")
                case _:
                    kept = line
            file.write(msgspec.json.encode(kept) + b"\n")


if __name__ == "__main__":
    main()
