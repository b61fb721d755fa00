"""Workspaces that older versions of spotui wrote, and the recorder: `python -m tests.recordings.workspaces`.

An older version is needed only to record. With the files of a commit in the folder OLD:

    git archive COMMIT | tar -x -C OLD
    (cd OLD && python -m tests.recordings.workspaces first)

where this file has been copied into OLD's tests/recordings and the libraries of that commit are installed.
`first` is f4b2bd5, the first commit in which a run worked from end to end; `scored` is 26047aa, with GPO,
GRAD-SUM, `race` and `score`.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
HOME = "{home}"
"""Stands for the folder of the recording in its files."""

SPO = """\
prompt: Answer the question.
requirements: Be correct, and give a reason.
count: None
qa:
  - question: Why is the sky blue?
    answer: None
  - question: Why do leaves fall?
    answer: None
"""
SPO_RUN = ("run", "why.yaml", "--max-rounds", "2")
SCORED_RUNS = (
    ("run", "gpo.yaml", "--max-rounds", "2", "--set", "candidates_per_step=2"),
    ("run", "gradsum.yaml", "--max-rounds", "2"),
    (
        "race",
        "gpo.yaml",
        "--methods",
        "spo,gpo,gradsum",
        "--max-rounds",
        "2",
        "--set",
        "gpo.candidates_per_step=2",
    ),
    ("score", "gpo.yaml", "--prompt", "best", "--against", "seed"),
)


def unpack(name: str, home: Path) -> Path:
    """Write the files of a recording below a folder; its workspace."""
    for path, text in json.loads(
        gzip.decompress((FOLDER / f"{name}_workspace.json.gz").read_bytes())
    ).items():
        file = home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(HOME, str(home)), encoding="utf-8")
    return home / "data" / "workspace"


def record(name: str) -> None:
    """Run the spotui of this checkout against a fake model, and keep what it wrote."""
    from tests.command_line import places
    from tests.model_server import ModelServer
    from tests.model_server.scripted import ReplyFunction
    from tests.spo_model import climbing

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        runs: list[tuple[ReplyFunction, tuple[str, ...]]] = [(climbing, SPO_RUN)]
        (home / "why.yaml").write_text(SPO, "utf-8")
        if name == "scored":
            from tests.row_model import racing, rows, template

            (home / "rows.jsonl").write_text(rows(12), "utf-8")
            for method in ("gpo", "gradsum"):
                (home / f"{method}.yaml").write_text(template(method=method), "utf-8")
            runs += [(racing, words) for words in SCORED_RUNS]
        for model, words in runs:
            with ModelServer(model) as server:
                env = places(home, OPENAI_API_KEY="sk-a-key", OPENAI_BASE_URL=server.base_url)
                command = [sys.executable, "-m", "spotui", *words, "--model", "test-model"]
                subprocess.run(
                    command, env={**env, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=home, check=False
                )
        files = {
            str(file.relative_to(home)): file.read_text("utf-8").replace(folder, HOME)
            for file in sorted(home.rglob("*"))
            if file.is_file() and file.stat().st_size
        }
        packed = gzip.compress(json.dumps(files, indent=1).encode(), mtime=0)
        (FOLDER / f"{name}_workspace.json.gz").write_bytes(packed)


if __name__ == "__main__":
    record(sys.argv[1])
