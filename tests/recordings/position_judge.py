"""Records two runs whose judge has a taste for a position: `python -m tests.recordings.position_judge`.

The embedded model of half a billion parameters plays all three roles. It cannot reason about a comparison, so
a meta-prompt of its own asks it for a letter; mostly it says A, whatever A is. The first run has the
reference's rule, the second one ours; where the second asks what the first has asked, it gets the same reply.
What an earlier recording has is not asked again.
"""

import asyncio
import json
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.events import Event, RoundFinished
from spotui.engine.meta_prompts import MetaPrompts
from spotui.llm.connections import Connection, Connections
from spotui.llm.connector import Connector
from spotui.llm.protocol import OnDelta, Provider
from spotui.methods.spo import SPO
from spotui.runs.prepare import prepare
from spotui.runs.run import Run
from spotui.runs.snapshots import new_project
from spotui.settings import locations
from spotui.settings.config_file import Config
from spotui.settings.resolve import Resolution
from spotui.settings.resources import find_template
from spotui.settings.table import RoleSet, RoleSettings, RunSettings
from spotui.templates.read import parse_template
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.recordings import FOLDER, load

MODEL = "local/qwen2.5-coder-0.5b"
ROUNDS = {"reference": 5, "balanced": 8}
SEED = 2
"""Its coins let a judge by position promote candidates early; a third of all is what is expected."""

JUDGE = """\
Two assistants, A and B, were given the same questions.

<requirements>
{requirements}
</requirements>

{references}

<answers_of_A>
{answers_a}
</answers_of_A>

<answers_of_B>
{answers_b}
</answers_of_B>

Whose answers meet the requirements better, A or B? Write the letter in a choose tag and nothing else."""
REPAIR = "{problem} Write the letter A or the letter B in a choose tag and nothing else."
META = {**MetaPrompts(declared=SPO.meta_prompts).texts, "judge_duel": JUDGE, "judge_repair": REPAIR}


class Recording:
    """Asks a provider what has not been asked so often before, and remembers what it said."""

    def __init__(self, inner: Provider, replies: dict[str, list[Reply]], used: Counter[str]) -> None:
        self._inner = inner
        self._replies = replies
        self._used = used
        self._asked: Counter[str] = Counter()

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        text = "\n\n".join(message.content for message in request.messages)
        number = self._asked[text]
        self._asked[text] += 1
        self._used[text] = max(self._used[text], self._asked[text])
        if number < len(self._replies[text]):
            return self._replies[text][number]
        reply = await self._inner.complete(request, on_delta)
        self._replies[text].append(reply)
        return reply

    async def aclose(self) -> None:
        await self._inner.aclose()


def settings_of(judge: str) -> RunSettings:
    def role(temperature: float, longest: int) -> RoleSettings:
        return RoleSettings(model=MODEL, temperature=temperature, max_tokens=longest, timeout=600.0)

    roles = RoleSet(optimizer=role(0.7, 300), evaluator=role(0.3, 40), executor=role(0.0, 40))
    plain = {
        "judge": judge,
        "max_rounds": ROUNDS[judge],
        "seed": SEED,
        "final_check": False,
        "reference_answers": False,
    }
    return msgspec.convert({"roles": msgspec.to_builtins(roles), **plain}, RunSettings)


def main() -> None:
    replies, used = recorded(), Counter[str]()
    template = find_template("product-name").read_text("utf-8")
    runs = {}
    for judge in ("reference", "balanced"):
        runs[judge] = {"settings": msgspec.to_builtins(settings_of(judge))}
        with tempfile.TemporaryDirectory() as folder:
            runs[judge]["outcomes"] = asyncio.run(record(judge, template, replies, used, Path(folder)))
    said = {
        text: [{"text": one.text, "finish_reason": one.finish_reason} for one in replies[text][:times]]
        for text, times in used.items()
    }
    start = {"template": template, "meta_prompts": META}
    whole = {"runs": {**start, **runs}, "replies": said}
    (FOLDER / "position_judge.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1), "utf-8")


def recorded() -> defaultdict[str, list[Reply]]:
    """What an earlier recording has."""
    replies: defaultdict[str, list[Reply]] = defaultdict(list)
    if (FOLDER / "position_judge.json").exists():
        for text, found in load("position_judge")[1].items():
            replies[text] = [
                msgspec.convert({**one, "usage": Usage(0, 0), "seconds": 0.0, "cost_usd": 0.0}, Reply)
                for one in found
            ]
    return replies


async def record(
    judge: str, template: str, replies: dict[str, list[Reply]], used: Counter[str], folder: Path
) -> list[str]:
    """One run; returns what became of its rounds."""
    settings = settings_of(judge)
    connector = Connector(settings, Config(), {}, models_dir=locations.models_dir(), log_dir=folder / "log")

    def connect(model: str) -> Connection:
        found = connector.connect(model)
        return Connection(
            found.endpoint, Recording(found.provider, replies, used), found.limiter, takes_grammar=True
        )

    for name, text in META.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    path = Path("product-name.yaml")
    prepared = prepare(
        parse_template(template, path.name), template, path, Resolution(settings), prompt_folders=[folder]
    )
    project = new_project(Workspace(folder), "recorded", prepared)
    write_snapshot(project.snapshot, msgspec.structs.replace(read_snapshot(project.snapshot), edition=3))
    outcomes: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, RoundFinished):
            outcomes.append(event.outcome)
            print(judge, event.round, event.outcome, f"{event.wins}:{event.losses}", event.voids, flush=True)

    run = Run(project, lambda _: Connections(connect))
    run.subscribe(tell)
    await run.go()
    return outcomes


if __name__ == "__main__":
    main()
