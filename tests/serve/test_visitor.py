"""The real app behind the server: steering from two browsers, files, and looking without touching."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from spotui.settings.resources import tour_dir
from spotui.workspace.history import read_history
from spotui.workspace.projects import Workspace
from tests.command_line import HELD_OUT, TEMPLATE, move_in, places, spotui, write_template
from tests.model_server import ModelServer
from tests.serve.tabs import serving
from tests.spo_model import climbing


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the finished project `sea`."""
    move_in(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(tmp_path / "data" / "workspace")
    shutil.copytree(tour_dir(), workspace.root / "sea")
    return workspace


def test_two_browsers_steer_a_run_that_no_lost_connection_ends(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving() as served:
            one = await served.tab().open()
            await one.until("sea", "why")
            await one.press("enter")
            two = await served.tab().open()
            await two.until("sea", "why")
            await two.press("enter")
            await one.until("space pause")
            await two.until("space pause")
            await one.press(" ")
            await one.until("space resume")
            await two.until("space resume", "paused")
            await one.drop()
            await two.press(" ")
            await two.until("space pause")
            again = await served.tab(columns=120, rows=40).reopen(one.visit)
            await again.until("why", "space pause")  # the same screen, on a larger page
            await asyncio.gather(again.press("s"), two.press("s"))
            await asyncio.gather(again.until("Stop why?"), two.until("Stop why?"))
            await asyncio.gather(again.press("y"), two.press("y"))
            await asyncio.gather(again.until("Stopped"), two.until("Stopped"))
            await again.press("\x11")  # ctrl+q
            assert await again.until_closed() is not None

    with ModelServer(climbing, delay=0.15) as model:
        env = places(tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        words = ["run", write_template(tmp_path), "--model", "test-model", "--max-rounds", "900", "--detach"]
        assert spotui(*words, env=env).code == 0
        asyncio.run(scenario())
        project = workspace.project("why")
        deadline = time.monotonic() + 20
        while (stop := read_history(project).stop) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert stop is not None
        assert stop.reason == "stopped"
    assert b"sk-the-key" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.log"))


def test_templates_come_and_go_and_a_prompt_is_copied(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving() as served:
            tab = await served.tab().open()
            await tab.until("sea", "poem")
            for name, wanted in (("mine.yaml", "mine"), ("../mine.yaml", "mine-2")):
                headers = {"X-Visit": tab.visit, "X-Name": name, **served.own_page}
                data = (TEMPLATE + HELD_OUT).encode()
                async with served.session.post(f"{served.url}/upload", data=data, headers=headers) as answer:
                    assert answer.status == 204
                await tab.until(f"{wanted}.yaml", "Why do cats purr?")
                await tab.press("\x1b")
                await tab.until("sea")
            headers = {"X-Visit": tab.visit, "X-Name": "rows.csv", **served.own_page}
            async with served.session.post(f"{served.url}/upload", data=b"a,b", headers=headers) as answer:
                assert answer.status == 204
            await tab.until("rows.csv is not a template")
            await tab.press("enter")
            await tab.until("Stopped")
            await tab.press("y")
            assert (await tab.until_asked("copy"))["text"]
            await tab.press("\x1bOR")  # F3
            download = await tab.until_asked("download")
            assert download["name"].startswith("sea-")
            assert download["text"]
            await tab.press("\x1b[20~")  # F9
            await tab.until_asked("choose_file")

    asyncio.run(scenario())
    templates = tmp_path / "data" / "templates"
    assert sorted(path.name for path in templates.iterdir()) == ["mine-2.yaml", "mine.yaml"]
    assert (templates / "mine.yaml").read_text() == TEMPLATE + HELD_OUT


def test_who_may_only_look_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving("--read-only") as served:
            tab = await served.tab().open()
            await tab.until("sea", "poem")
            assert "delete" not in tab.text
            await tab.press("x")
            await tab.until("This is a read-only visit.")
            await tab.press("enter")
            await tab.until("Stopped")
            assert "branch" not in tab.text.rpartition("╯")[2]
            await tab.press(" ", "b", "y")
            assert (await tab.until_asked("copy"))["text"]
            await tab.press("\x1b")
            await tab.until("Projects")
            await tab.press("\t", "enter")
            await tab.until("prompt:", "chinese-idioms.yaml")
            headers = {"X-Visit": tab.visit, "X-Name": "mine.yaml", **served.own_page}
            async with served.session.post(f"{served.url}/upload", data=b"x", headers=headers) as answer:
                assert answer.status == 403

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    asyncio.run(scenario())
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before


HOOK = """
import os, subprocess, sys
from pathlib import Path
from spotui.domain.commands import Pause
from spotui.settings import locations
from spotui.tui.read_only import ReadOnlyError, forbid_changes
from spotui.tui.run.client import RunClient
from spotui.wire.process import command
from spotui.workspace.projects import Workspace

Path("there").write_text("x")
forbid_changes()
client = RunClient(Workspace(Path("w")).project("p"))
tries = {
    "write": lambda: Path("new").write_text("x"),
    "append": lambda: open("there", "a"),
    "open": lambda: os.open("there", os.O_RDWR),
    "remove": lambda: os.remove("there"),
    "rename": lambda: os.rename("there", "new"),
    "rename into the logs": lambda: os.rename("there", locations.log_dir() / "there"),
    "mkdir": lambda: os.mkdir("folder"),
    "link": lambda: os.symlink("there", "new"),
    "run": lambda: subprocess.run(command(["run", "poem"])),
    "models add": lambda: subprocess.run(command(["models", "add", "replay"])),
    "other program": lambda: subprocess.run(["true"]),
    "other python": lambda: subprocess.run([sys.executable, "-c", "0", "spotui", "replay"]),
    "shell": lambda: os.system("true"),
    "fork": os.fork,
    "signal": lambda: os.kill(os.getppid(), 18),
    "send": lambda: client.send(Pause()),
}
for name, do in tries.items():
    try:
        do()
    except (OSError, ReadOnlyError) as error:
        continue
    print(name)
assert Path("there").read_text() == "x"
locations.log_dir().mkdir(exist_ok=True)
(locations.log_dir() / "log").write_text("x")
assert subprocess.run(command(["methods", "--json"]), capture_output=True).returncode == 0
os.kill(os.getppid(), 0)
child = subprocess.Popen(command(["methods", "--json"]), stdout=subprocess.DEVNULL)
child.kill()
child.wait()
print("done")
"""


def test_behind_the_keys_every_change_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", HOOK], env=places(tmp_path), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
