"""What a candidate changed, in colours, in marks, as one text or two."""

from textual.pilot import Pilot
from textual.widgets import Static

from spotui.tui.diff_panel import DiffPanel
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until, until_seen

App = AloneApp[DiffPanel]
OLD, NEW = "Answer the question well.", "Answer every question well, 猫."


async def show(app: App, pilot: Pilot[None], old: str = OLD, new: str = NEW) -> None:
    app.widget.show("seed", old, "round 2", new)
    app.widget.focus()
    await pilot.pause()


def styles(app: App, name: str = "#one") -> dict[str, str]:
    """The style of every piece of text, by the text."""
    content = app.widget.query_one(name, Static).visual
    return {piece.strip(): str(style) for piece, style in content.render()}  # type: ignore[attr-defined]


def test_what_came_and_what_went_stand_in_one_text_and_are_counted() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot)
        await until_seen(pilot, "Answer the every question well. well, 猫.")
        assert (app.widget.border_title, app.widget.border_subtitle) == (
            "Diff  seed → round 2",
            "3 words added, 2 removed",
        )
        found = styles(app)
        assert "underline" in found["every"]
        assert "strike" in found["the"]
        assert found["question"] == ""

    alone(DiffPanel, journey)


def test_marks_tell_it_without_colours() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, "Say it.", "Sing it.")
        await pilot.press("w")
        await until_seen(pilot, "[-Say -]{+Sing +}it.")
        await pilot.press("w")
        await until_seen(pilot, "Say Sing it.")

    alone(DiffPanel, journey)


def test_side_by_side_each_has_its_own_text() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot)
        app.widget.is_split = True
        await until_seen(pilot, OLD, NEW)
        (line,) = [line for line in seen(app).splitlines() if "Answer" in line]
        assert line.index(OLD) < line.index(NEW)
        await pilot.resize_terminal(30, 12)
        await until(pilot, lambda: OLD not in seen(app))
        assert "Answer the" in seen(app)
        app.widget.is_split = False
        await until_seen(pilot, "Answer the every")

    alone(DiffPanel, journey, size=(70, 12))


def test_a_prompt_with_itself_is_only_shown() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show("seed", OLD, "seed", OLD)
        await until_seen(pilot, OLD)
        assert (app.widget.border_title, app.widget.border_subtitle) == ("Prompt of seed", "")

    alone(DiffPanel, journey)


def test_prompts_are_text_and_no_markup() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, "Use [b]tags[/x].", "Use [b]tags[/x] and [red]more[/].")
        await until_seen(pilot, "[b]tags[/x]", "[red]more[/].")

    alone(DiffPanel, journey)


def test_a_long_prompt_scrolls_and_the_older_one_can_be_copied() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, OLD, "word " * 300 + "FINIS")
        assert "FINIS" not in seen(app)
        await pilot.press("end")
        await until_seen(pilot, "FINIS")
        await pilot.press("Y")
        await until(pilot, lambda: app.copied == [OLD])

    alone(DiffPanel, journey)
