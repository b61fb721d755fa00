"""Makes the offline tour from a run: the same story, without the requests that nobody reads again.

    spotui run product-name --name tour --max-rounds 6
    python -m benchmarks.tour tour

It has to be made again when what a run asks its models has changed; a test tells.
"""

import sys
from pathlib import Path

import msgspec

from spotui.domain.records import CallLine, Line, SessionLine
from spotui.settings import locations
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Workspace

TOUR = Path(__file__).parents[1] / "examples" / "tour"


def main() -> None:
    project = Workspace(locations.workspace_dir()).existing(sys.argv[1])
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
