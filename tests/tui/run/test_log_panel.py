"""The log on the screen: what it says, what it follows, and what of it is shown."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.domain.events import (
    Answered,
    CallDelta,
    CallRetried,
    CallStarted,
    CandidateProposed,
    Event,
    RoundFinished,
    RoundStarted,
    StateChanged,
    VoteCast,
)
from spotui.domain.records import CallKey
from spotui.tui.run.log_panel import LogPanel, LogView
from spotui.view.log import Entry
from spotui.view.story import Choice, Show, Story
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until, until_seen
from tests.view.test_story import done, told

App = AloneApp[LogPanel]


def a_round(number: int) -> list[Event]:
    key = CallKey(number, "execute")
    return [
        RoundStarted(round=number, best=number - 1),
        CandidateProposed(round=number, parent=1, prompt="p", modification=f"Change {number}."),
        CallStarted(key=key, model="m"),
        done(key),
        Answered(round=number, index=0, question="How deep?", answer=f"Answer {number}."),
        VoteCast(round=number, index=0, choice="win", order="AB", reason=f"Reason {number}."),
        RoundFinished(round=number, outcome="win", best=number, wins=1),
    ]


def rounds(count: int) -> Story:
    return told(*(event for number in range(1, count + 1) for event in a_round(number)))


def lines(app: App) -> list[str]:
    """The screen without the scrollbar."""
    return [line[:58].rstrip() for line in seen(app).splitlines()]


async def show(app: App, pilot: Pilot[None], story: Story) -> LogView:
    app.widget.show(story)
    app.widget.tick()
    view = app.widget.query_one(LogView)
    view.focus()
    await pilot.pause()
    return view


async def tell(app: App, pilot: Pilot[None], story: Story, *events: Event) -> None:
    for event in events:
        story.apply(event)
    app.widget.tick()
    await pilot.pause()


def test_an_entry_is_its_title_its_facts_at_the_right_and_what_it_says() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, rounds(1))
        await until_seen(pilot, "Win: the new best")
        assert lines(app)[:9] == [
            "Round 1  the seed prompt",
            " candidate",
            "   Change 1.",
            " question 1" + " " * 32 + "1.2k tok, 2.0 s",
            "   How deep?",
            "   Answer 1.",
            " vote AB: win",
            "   Reason 1.",
            " Win: the new best" + " " * 12 + "1:0, 0 tok, $ unknown, 0.0 s",
        ]

    alone(LogPanel, journey)


def test_a_reply_under_way_shows_its_end_on_one_line_and_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    key = CallKey(1, "execute")
    story = told(
        CallStarted(at=1000.0, key=key, model="m"),
        CallDelta(key=key, text="word " * 50 + "the end so far 猫"),
    )
    retried = CallRetried(at=1200.0, key=key, error="Slow down.", kind="RateLimited", tries=1, wait=60)

    async def journey(app: App, pilot: Pilot[None]) -> None:
        def at(seconds: float) -> None:
            monkeypatch.setattr("spotui.tui.run.log_panel.time.time", lambda: seconds)
            app.widget.tick()

        at(1100.0)
        await show(app, pilot, story)
        await until_seen(pilot, "1:40 …")
        assert lines(app)[0].startswith(" question 1 ")
        assert lines(app)[1].endswith("word the end so far 猫")
        assert not any(lines(app)[2:])
        at(1101.0)
        await until_seen(pilot, "1:41 …")
        story.apply(retried)
        at(1203.0)
        await until_seen(pilot, "again in 57 s", "Slow down.")
        await tell(app, pilot, story, done(key))
        await until(pilot, lambda: "Slow down." not in seen(app) and "1.2k tok" in seen(app))

    alone(LogPanel, journey)


def test_it_follows_the_run_until_somebody_looks_back() -> None:
    story = rounds(5)

    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = await show(app, pilot, story)
        await until_seen(pilot, "Reason 5.")
        await tell(app, pilot, story, *a_round(6))
        await until_seen(pilot, "Reason 6.")
        await pilot.press("pageup", "up")
        await until(pilot, lambda: not view.follows)
        before = lines(app)
        await tell(app, pilot, story, *a_round(7))
        assert lines(app) == before
        await pilot.press("end")
        await until_seen(pilot, "Reason 7.")

    alone(LogPanel, journey)


def test_going_to_a_round_brings_its_heading_to_the_top() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = await show(app, pilot, rounds(9))
        app.widget.go_to_round(4, 9)
        await until(pilot, lambda: lines(app)[0] == "Round 4  from round 3")
        assert view.round_at(0) == view.round_at(8) == 4
        app.widget.go_to_round(9, 9)
        await until_seen(pilot, "Reason 9.")
        assert view.follows

    alone(LogPanel, journey)


def test_the_filter_goes_from_everything_to_verdicts_to_trouble_and_back() -> None:
    story = told(*a_round(1), StateChanged(state="paused", cause="No key."))

    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, story)
        await pilot.press("f")
        await until(pilot, lambda: "Answer 1." not in seen(app))
        assert "Change 1." in seen(app)
        assert app.widget.border_subtitle == "only verdicts"
        await pilot.press("f")
        await until(pilot, lambda: "Change 1." not in seen(app))
        assert [line for line in lines(app) if line] == ["Round 1  the seed prompt", " Paused", "   No key."]
        await pilot.press("f")
        await until_seen(pilot, "Change 1.", "Answer 1.")
        assert app.widget.border_subtitle == ""

    alone(LogPanel, journey, size=(60, 16))


def test_a_search_shows_what_holds_it_as_it_is_typed_and_escape_shows_all() -> None:
    story = rounds(9)

    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = await show(app, pilot, story)
        await pilot.press("slash", *"reason")
        await until_seen(pilot, "Reason 8.", "Reason 9.")
        await pilot.press("space", "3")
        await until(pilot, lambda: "Reason 9." not in seen(app))
        assert [line for line in lines(app) if line.strip()][:3] == [
            "Round 3  from round 2",
            " vote AB: win",
            "   Reason 3.",
        ]
        await pilot.press("enter")
        await until(pilot, lambda: view.has_focus)
        await tell(
            app, pilot, story, *a_round(10), VoteCast(round=10, index=1, choice="win", reason="Reason 3?")
        )
        await until_seen(pilot, "Reason 3.", "Reason 3?")
        assert "Reason 10." not in seen(app)
        await pilot.press("escape")
        await until_seen(pilot, "Win: the new best")
        assert app.widget.query_one(Input).value == ""

    alone(LogPanel, journey)


def test_anything_can_be_searched_for() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, rounds(1))
        app.widget.styles.border = ("round", "white")
        await pilot.press("slash")
        for text in ("[", "[/b]", "[red]x[/]", "(", "\\", "猫", "*"):
            app.widget.query_one(Input).value = text
            await until_seen(pilot, f"“{text}”")

    alone(LogPanel, journey)


def test_of_a_folded_round_heading_and_verdict_stay() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, rounds(2))
        app.widget.go_to_round(1, 2)
        await pilot.press("c")
        await until_seen(pilot, "Round 1 …")
        assert "Change 1." not in seen(app)
        assert "Change 2." in seen(app)
        assert app.widget.border_subtitle == "1 folded"
        await pilot.press("c")
        await until_seen(pilot, "Change 1.")
        await pilot.press("C")
        await until_seen(pilot, "Round 1 …", "Round 2 …")
        assert len([line for line in lines(app) if line]) == 4
        await pilot.press("escape")
        await until_seen(pilot, "Change 1.", "Change 2.")

    alone(LogPanel, journey, size=(60, 24))


def test_a_double_click_folds_its_round() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(app, pilot, rounds(2))
        await pilot.click(LogView, offset=(4, 11), times=2)
        await until_seen(pilot, "Round 2 …")
        assert "Change 1." in seen(app)

    alone(LogPanel, journey, size=(60, 24))


def test_every_line_is_where_it_belongs_whatever_comes_goes_and_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spotui.view.story.ENTRIES_KEPT", 20)
    random, story = Random(11), Story()

    def event() -> Event:
        number, words = 1 + len(story.entries) // 6 + story.first // 6, "word " * random.randint(0, 30)
        key = CallKey(number, "execute", random.randint(0, 3))
        return random.choice(
            [
                RoundStarted(round=number, best=1),
                CallStarted(at=5.0, key=key, model="m"),
                CallDelta(key=key, text=words),
                Answered(round=number, index=key.index, question=words[:60], answer=words),
                VoteCast(round=number, index=key.index, choice=random.choice(["win", "void"]), reason=words),
                StateChanged(state="paused", cause=words),
            ]
        )

    async def journey(app: App, pilot: Pilot[None]) -> None:
        monkeypatch.setattr("spotui.tui.run.log_panel.time.time", lambda: 100.0)
        view = await show(app, pilot, story)
        for _ in range(80):
            match random.choice("eeeeeeetcs"):
                case "e":
                    for _ in range(random.randint(1, 4)):
                        story.apply(event())
                    view.tick()
                case "c":
                    text, folded = random.choice(["", "", "word"]), frozenset({random.randint(1, 9)})
                    show_only: Show = random.choice(["everything", "everything", "verdicts", "trouble"])
                    view.choose(Choice(show_only, text, random.choice([folded, frozenset()])))
                case "s":
                    view.scroll_to(y=random.randint(0, 60), animate=False, immediate=True)
                case _:
                    view.tick()
            await pilot.pause()
            size = view.scrollable_content_region
            view.tick()
            shown = [view._story.entry(position) for position in view._choice.of(story)]
            assert view.blocks() == len(shown)
            made = [line.plain for number in range(len(shown)) for line in view.block(number, size.width)]
            top = round(view.scroll_y)
            expected = [line.rstrip() for line in made[top : top + size.height]]
            painted = [view.render_line(y).text.rstrip() for y in range(size.height)]
            assert painted == expected + [""] * (size.height - len(expected))
        assert story.first > 0

    alone(LogPanel, journey)


ENTRIES = st.builds(
    Entry,
    round=st.integers(0, 3),
    kind=st.sampled_from(["round", "proposal", "answer", "vote", "verdict", "trouble", "notice"]),
    title=st.text("abc[ 猫", max_size=30),
    facts=st.text("abc 猫", max_size=40),
    text=st.text("ab 猫\n", max_size=90),
    aside=st.text("ab 猫\n", max_size=90),
    tone=st.sampled_from(["plain", "win", "error"]),
    began=st.none() | st.just(5.0),
    retry_at=st.sampled_from([0.0, 5.0, 1e12]),
    streamed=st.text("ab 猫\n", max_size=90),
)


def test_every_entry_fits_and_is_as_high_as_it_is_said_to_be() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        story = Story()
        view = await show(app, pilot, story)

        @given(st.lists(ENTRIES, min_size=1, max_size=2), st.integers(12, 50))
        def fits(entries: list[Entry], width: int) -> None:
            story.entries = entries
            view.show(story)
            for number in range(len(entries)):
                made = view.block(number, width)
                assert len(made) == view.height_of(number, width)
                assert all(line.cell_length <= width for line in made)
                assert not any("\n" in line.plain for line in made)

        fits()

    alone(LogPanel, journey)
