"""Models: roles are changed, models added with a test of the connection, and keys are seen nowhere."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.settings import locations
from spotui.settings.config_file import load_config
from spotui.tui import endpoint_screen as probing
from spotui.tui.app import SpotuiApp
from spotui.tui.child import Finished, ask
from spotui.tui.endpoint_screen import EndpointScreen
from spotui.tui.home.screen import HomeScreen
from spotui.tui.model_tables import ModelsTable, RoleScreen, RolesTable
from spotui.tui.models_screen import ModelsScreen
from tests.command_line import ROOT, move_in
from tests.model_server import ModelServer
from tests.spo_model import climbing
from tests.tui.piloting import LARGE, SMALL, Journey, drive, seen, until, until_seen

KEY = "sk-a-key-that-is-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing, api_key=KEY) as model:
        yield model


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own, with a keyring in a file."""
    move_in(monkeypatch, tmp_path, KEYRING_FILE=str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'file_keyring'}{os.pathsep}{ROOT}")
    return tmp_path


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every word of every command line."""
    words_said: list[str] = []

    async def listen(words: Sequence[str], stdin: str = "") -> Finished:
        words_said.extend(words)
        return await ask(words, stdin)

    monkeypatch.setattr(probing, "ask", listen)
    return words_said


def in_models(folder: Path, journey: Journey, size: tuple[int, int] = LARGE) -> None:
    async def after_opening(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await journey(app, pilot)

    drive(folder, after_opening, size)


def models(app: SpotuiApp) -> ModelsTable:
    return app.screen.query_one(ModelsTable)


async def put(app: SpotuiApp, pilot: Pilot[None], **values: str) -> None:
    await until(pilot, lambda: isinstance(app.screen, EndpointScreen) and app.screen.query(Input))
    for field, value in values.items():
        app.screen.query_one(f"#{field}", Input).value = value
    await pilot.pause()


async def answered(app: SpotuiApp, pilot: Pilot[None], *texts: str) -> None:
    def told() -> bool:
        shown = " ".join(str(app.screen.query_one("#told").render()).split())
        return all(text in shown for text in texts)

    await until(pilot, told)


def test_a_model_is_added_once_it_has_answered(
    home: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "No model is written down")
        await pilot.press("tab", "n")
        await put(app, pilot, model="mine", base_url=server.base_url, api_key_env="MY_KEY")
        await pilot.press("ctrl+t")
        await answered(app, pilot, "It answered", "its price is unknown", "Type its price")
        assert not locations.config_file().exists()
        await put(app, pilot, input="0.5", output="1.5", concurrency="3")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and models(app).current == "mine")
        await until_seen(pilot, "$MY_KEY", "$0.5 and $1.5 a million tokens")
        await pilot.press("t")
        await until_seen(pilot, "mine  It answered")
        row = next(line for line in seen(app).splitlines() if "│ mine" in line)
        assert row.rstrip(" │").endswith(" s")  # how long it took
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    in_models(home, journey, SMALL)
    entry = load_config().config.models["mine"]
    assert (entry.base_url, entry.api_key_env, entry.concurrency) == (server.base_url, "MY_KEY", 3)
    assert KEY not in locations.config_file().read_text()


def test_a_typed_key_goes_into_the_keyring_and_is_seen_nowhere(
    home: Path, server: ModelServer, said: list[str]
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "n")
        await put(app, pilot, model="mine", base_url=server.base_url, api_key_env="OTHER_KEY")
        await put(app, pilot, key="sk-the-wrong-key-of-all")
        await pilot.press("enter")
        await answered(app, pilot, "does not accept the key", "401")
        assert not (home / "keyring.json").exists()
        assert "wrong-key" not in seen(app)

        await put(app, pilot, key=KEY)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await until_seen(pilot, "in the keyring")

        await pilot.press("enter")  # another limit, the same key
        await put(app, pilot, concurrency="2")
        await until_seen(pilot, "is in the system keyring")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        assert KEY not in seen(app)

    in_models(home, journey)
    assert json.loads((home / "keyring.json").read_text()) == {"spotui mine": KEY}
    entry = load_config().config.models["mine"]
    assert (entry.api_key_keyring, entry.api_key_env, entry.concurrency) == (True, None, 2)
    assert said
    assert not [word for word in said if "sk-" in word]
    written = [path for path in home.rglob("*") if path.is_file() and path.name != "keyring.json"]
    assert not [path for path in written if b"sk-" in path.read_bytes()]


@pytest.mark.parametrize(
    "field", ["sk-proj-abcdefghijklmnopqrstuvwxyz", "gsk_abcdefghijklmnopqrstuv", "AIzaSyabcdefghij"]
)
def test_a_key_cannot_be_pasted_where_a_variable_belongs(home: Path, said: list[str], field: str) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "n")
        await put(app, pilot, model="mine")
        variable = app.screen.query_one("#api_key_env", Input)
        variable.focus()
        variable.insert_text_at_cursor(field)
        await answered(app, pilot, "A variable's name is written in capitals")
        assert variable.value == ""
        await pilot.press("A", "B", "backspace", "backspace")  # what was typed can be taken back
        assert variable.value == ""

    in_models(home, journey)
    assert said == []


def test_a_field_that_is_wrong_says_so_and_has_the_cursor(home: Path, said: list[str]) -> None:
    wrong = (
        ("model", "", "The model must be a model id"),
        ("base_url", "localhost", "The endpoint must be a URL, for example"),
        ("base_url", "http://me:secret@localhost/v1", "must not hold a user name"),
        ("api_key_env", "ABCDEFGHIJKLMNOPQRSTUVWX", "looks like a key"),
        ("concurrency", "0", "At once must be a whole number"),
        ("timeout", "soon", "The timeout must be seconds"),
        ("input", "1", "A price has two parts."),
    )

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "n")
        await put(app, pilot, model="mine")
        for field, value, why in wrong:
            right = app.screen.query_one(f"#{field}", Input).value
            await put(app, pilot, **{field: value})
            await pilot.press("enter")
            await answered(app, pilot, why)
            wanted = "output" if field == "input" else field
            await until(pilot, lambda: app.focused is app.screen.query_one(f"#{wanted}"))  # noqa: B023 - it is used at once
            await put(app, pilot, **{field: right})

    in_models(home, journey, SMALL)
    assert said == []


def test_a_dead_endpoint_is_told_and_can_be_saved_all_the_same(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "n")
        await put(app, pilot, model="mine", base_url="http://127.0.0.1:9/v1")
        await pilot.press("enter")
        await answered(app, pilot, "127.0.0.1:9")
        assert not locations.config_file().exists()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and models(app).keys == ["mine"])
        await pilot.press("t")
        await until_seen(pilot, "failed", "mine  ", "127.0.0.1:9")

    in_models(home, journey, SMALL)


def test_a_test_that_takes_too_long_is_given_up(home: Path) -> None:
    import socket

    with socket.socket() as silent:  # takes the call and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()

        async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
            await pilot.press("tab", "n")
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
            await put(app, pilot, model="mine", base_url=url)
            await pilot.press("enter")
            await answered(app, pilot, "Asking it")
            await pilot.press("escape")
            await answered(app, pilot, "Given up.")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, ModelsScreen))

        in_models(home, journey)


def test_a_removed_model_comes_back_with_one_key(home: Path) -> None:
    locations.config_dir().mkdir()
    text = "# mine\nmodels:\n  a:\n    concurrency: 2\n  b: # ours\n    # slow\n    timeout: 5.5 # s\n"
    locations.config_file().write_text(text)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab")
        models(app).select("b")
        await pilot.press("x", "y")
        await until(pilot, lambda: models(app).keys == ["a"])
        assert "b:" not in locations.config_file().read_text()
        await pilot.press("u")
        await until(pilot, lambda: models(app).keys == ["a", "b"] and models(app).current == "b")

    in_models(home, journey)
    assert locations.config_file().read_text() == text


def test_a_role_is_changed(home: Path, server: ModelServer) -> None:
    locations.config_dir().mkdir()
    locations.config_file().write_text(
        f"models:\n  mine:\n    base_url: {server.base_url}\n"
        "roles:\n  optimizer:\n    temperature: 0.9 # warm\n"
    )

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert app.screen.query_one(RolesTable).keys == ["optimizer", "evaluator", "executor"]
        await until_seen(pilot, "local/qwen2.5", "0.9", "0.3", "on this machine")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RoleScreen))
        fields = list(app.screen.query(Input))
        await until(pilot, lambda: fields[1].value == "0.9")
        await pilot.press(*"min", "right")  # the rest is completed
        await until(pilot, lambda: fields[0].value == "mine")
        await pilot.press("down")
        fields[1].value = "3"
        await pilot.press("enter")
        await until_seen(pilot, "must be a number from 0 to")
        fields[1].value = "none"
        await pilot.press("enter")
        await until(
            pilot, lambda: load_config().config.settings.get("roles.optimizer.temperature", 0) is None
        )
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await until(pilot, lambda: server.base_url[:20] in seen(app).partition("Models")[0])

    in_models(home, journey, SMALL)
    assert load_config().config.settings["roles.optimizer.model"] == "mine"
    assert "# warm" in locations.config_file().read_text()


def test_a_config_file_that_is_wrong_is_told(home: Path) -> None:
    locations.config_dir().mkdir()
    locations.config_file().write_text("modles: {}\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "line 1", "Did you mean models?")

    in_models(home, journey)
