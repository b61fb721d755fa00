"""Races: before one starts, and as one table while it runs and afterwards."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, duration, gained, points, usd
from spotui.lang import N_, _
from spotui.settings.table import LIMITS, BudgetSettings, text_of
from spotui.settings.values import KindError, convert_text
from spotui.tui.child import attempt
from spotui.tui.dialogs import field_keys, not_trusted, row, text_field, trusts_template
from spotui.tui.method_screen import MethodChoice, typed
from spotui.tui.page import Page
from spotui.tui.start_dialog import (
    BUDGET,
    Choices,
    Expected,
    StartDialog,
    budget,
    estimate_line,
    expect,
    wait_for,
    warning_lines,
)
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.race import Lane, Race, RaceReader, against_each_other, continued_in_words, winner
from spotui.wire.process import OwnRace
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder, shared


class Entrants(NamedTuple):
    """The methods that race, and their parameters.

    Attributes:
        methods: As they were typed, with commas between them.
        told: As it was typed: METHOD.NAME=VALUE, with blanks between them.
        continues: Whether they share half of the budget, and the most promising one has the rest.
    """

    methods: str
    told: str = ""
    continues: bool = False

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        words = [f"--methods={self.methods}", *(f"--set={one}" for one in self.told.split())]
        return [*words, "--continue"] if self.continues else words

    @property
    def each(self) -> list[MethodChoice]:
        """Every method with its parameters."""
        names = [name.strip() for name in self.methods.split(",") if name.strip()]
        return [MethodChoice(name, self._of(name)) for name in dict.fromkeys(names)]

    def _of(self, method: str) -> dict[str, str | int | float | bool | None]:
        own = (one.removeprefix(f"{method}.") for one in self.told.split() if one.startswith(f"{method}."))
        pairs = (one.partition("=") for one in own)
        return {name: typed(value) for name, _, value in pairs}


async def expect_race(
    workspace: Workspace, template: Path, entrants: Entrants, choices: Choices
) -> list[tuple[str, Expected]]:
    """Estimate the run of every method; asks no model.

    Raises:
        SpotuiError: The template, a choice or a method is wrong.
    """
    each = entrants.each
    if len(each) < 2:
        raise SpotuiError(_("A race takes two methods."), _("Write, for example, spo,gpo,gradsum."))
    if entrants.continues:
        choices = _sharing(choices, len(each))
    found = await asyncio.gather(*(expect(workspace, template, choices._replace(method=one)) for one in each))
    if entrants.continues and not any(map(_is_limited, found)):
        shared(BudgetSettings(), len(each))
    return [(one.method, expected) for one, expected in zip(each, found, strict=True)]


def _sharing(choices: Choices, methods: int) -> Choices:
    """The choices with the share of each method in place of the budget that was typed.

    Raises:
        SpotuiError: It is too little to be shared, or no number.
    """
    typed_in = {name: getattr(choices, name) for name in BUDGET if getattr(choices, name)}
    try:
        limits = {name: convert_text(LIMITS[name].kind, text) for name, text in typed_in.items()}
    except KindError:
        return choices  # the estimate says what is wrong with it
    if not any(limits.values()):
        return choices
    share = shared(BudgetSettings(**limits), methods)  # type: ignore[arg-type]
    shares = {name: text_of(getattr(share, name)) if name in limits else "" for name in BUDGET}
    return choices._replace(
        usd=shares["usd"], tokens=shares["tokens"], calls=shares["calls"], minutes=shares["minutes"]
    )


def _is_limited(expected: Expected) -> bool:
    """Whether the run that was estimated has any budget."""
    return any(expected.used.get(name) != _("empty = no limit") for name in BUDGET)


async def begin_race(
    race: RaceFolder, template: Path, entrants: Entrants, choices: Choices, tell: Callable[[str], None]
) -> None:
    """Start a race's own process, and wait until it works.

    Args:
        race: What is to be made.
        template: From what.
        entrants: Who takes part.
        choices: What all of them use.
        tell: Called with what it says while it prepares.

    Raises:
        SpotuiError: It did not start, and why.
    """
    check_free(race.workspace, race.name)
    if race.exists:
        raise SpotuiError(_("There is a race {race!r} already.", race=race.name), _("Choose another name."))
    words = ["race", str(template), f"--name={race.name}", *entrants.words, *choices.words]
    await start_race(race, words, tell)


async def start_race(race: RaceFolder, words: list[str], tell: Callable[[str], None]) -> None:
    """Begin a race, or resume it.

    Raises:
        SpotuiError: It did not start, and why.
    """
    await wait_for(await asyncio.to_thread(OwnRace, race, words), tell)


_USUAL = "spo,gpo,gradsum"
_FIELDS = (
    ("name", N_("Name"), ""),
    ("methods", N_("Methods"), "spo,gpo,gradsum"),
    ("told", N_("Parameters"), N_("e.g. gpo.max_steps=6 gradsum.beam=2")),
    ("model", N_("Model"), "…"),
    ("base_url", N_("Endpoint"), "…"),
    ("rounds", N_("Rounds"), "…"),
)


class NewRaceScreen(StartDialog[RaceFolder]):
    """Starts a race; gives back where it is, or None when it is left with Escape.

    Args:
        workspace: Where the runs will be.
        template: What all methods work on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="new_race.back", priority=True),
        Binding("ctrl+t", "continue", "continue the best", id="new_race.continue"),
        *field_keys("new_race"),
    ]

    DEFAULT_CSS = "NewRaceScreen > VerticalScroll { width: 78; }"

    AUTO_FOCUS = "#methods"

    _continues = False

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(f"{self._template.stem}-race"), "methods": _USUAL}
        with VerticalScroll(can_focus=False) as box:
            box.border_title = Content(_("New race on {template}", template=self._template.name))
            box.border_subtitle = _("enter starts, ^t continues the best, escape cancels")
            for field, name, meaning in _FIELDS:
                yield row(
                    _(name),
                    text_field(field, first.get(field, ""), meaning if meaning == "…" else _(meaning)),
                )
            yield from budget(_("Budget each"), Choices())
            yield estimate_line()

    @property
    def _entrants(self) -> Entrants:
        return Entrants(self.typed_in("methods") or _USUAL, self.typed_in("told"), self._continues)

    def action_continue(self) -> None:
        """Share half of the budget between the methods, and let the most promising one have the rest."""
        self._continues = not self._continues
        self.estimate()

    async def expected(self) -> Content:
        """What the run of every method would take."""
        found = await expect_race(self._workspace, self._template, self._entrants, self.chosen)
        rounds = ", ".join(f"{method} {one.used['rounds']}" for method, one in found if one.used)
        used = next((dict(one.used) for _unused, one in found if one.used), {})
        self.show_used(used | ({"rounds": rounds} if used else {}))
        told = _told(found)
        if self._continues:
            rest = _(
                "The methods share half of the budget in equal parts. The one whose best prompt scores best "
                "on the eval rows continues with the rest."
            )
            told = Content("\n").join([told, Content.styled(rest, "$text-muted")])
        return told

    async def begin(self, name: str) -> RaceFolder:
        """Start the race."""
        race = RaceFolder(self._workspace, name)
        await begin_race(race, self._template, self._entrants, self.chosen, self.say)
        return race


def _told(expected: list[tuple[str, Expected]]) -> Content:
    width = max(len(method) for method, _unused in expected)
    lines = [Content.assemble(f"{method:{width}}  ", (one.line, "bold")) for method, one in expected]
    lines += warning_lines(
        list(dict.fromkeys(warning for _unused, one in expected for warning in one.warnings))
    )
    return Content("\n").join([Content.styled(_("Expected, one after another:"), "$text-muted"), *lines])


_LOOK_SECONDS = 1.0
_COLUMNS = (
    Column("method", 10),
    Column("gain on the seed", 16, is_number=True),
    Column("test", 5, is_number=True),
    Column("interval", 14, is_number=True, from_width=104),
    Column("state", 11),
    Column("round", 8, is_number=True),
    Column("time", 7, is_number=True),
    Column("tokens", 7, is_number=True, from_width=86),
    Column("USD", 9, is_number=True, from_width=118),
    Column("chosen by", 9, is_number=True, from_width=130),
)
_TONES = {"running": "$text-success", "failed": "$text-error", "interrupted": "$text-warning"}


class LanesTable(TableView):
    """The methods of a race."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open its run", id="race.open"),
    ]


class RaceScreen(Page[None]):
    """Every method with how it stands, and what the test says of them.

    Args:
        race: The race.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "go_on", "resume", id="race.go_on"),
        Binding("escape", "back", "back", id="race.back"),
    ]

    DEFAULT_CSS = """
    RaceScreen {
        & TableView { height: auto; max-height: 60%; padding: 0 1; }
        & #winner { height: auto; padding: 0 1; text-style: bold; }
        & #pairs { height: auto; padding: 1 1 0 1; }
        & #said { height: 1fr; padding: 1 1 0 1; color: $text-muted; }
    }
    """

    AUTO_FOCUS = "TableView"

    def __init__(self, race: RaceFolder) -> None:
        super().__init__()
        self._folder = race
        self._reader = RaceReader(race)
        self._race: Race | None = None
        self._starts = False
        self._looks = False

    def parts(self) -> ComposeResult:
        """The race, its methods, the methods against each other."""
        yield Static(id="race", classes="head", markup=False)
        yield Static(id="winner", markup=False)
        table = LanesTable(_COLUMNS)
        table.empty = Content(_("Reading the race…"))
        yield table
        yield Static(id="pairs", markup=False)
        yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        """Look at once, and again every now and then."""
        self._look()
        self.set_interval(_LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Something may have happened while a run was shown."""
        self._look()

    def _look(self) -> None:
        if self.is_on_top and not self._looks:
            self._looks = True
            self.run_worker(self._read(), group="look")

    async def _read(self) -> None:
        race = await attempt(self, self._reader.read)
        self._looks = False
        if race is None or race == self._race:
            return
        self._race = race
        with self.app.batch_update():
            self.query_one("#race", Static).update(_title(race))
            self.query_one("#winner", Static).update(winner(race))
            self.query_one("#winner").display = bool(winner(race))
            self.query_one(TableView).show([Row(one.method, _cells(one)) for one in race.lanes])
            chosen = [] if race.continued is None else [continued_in_words(race.continued)]
            self.query_one("#pairs", Static).update("\n".join([*chosen, *against_each_other(race)]))
            self.query_one("#said", Static).update(_said(race))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A race that is over, or that a process works on, does not go on."""
        if action == "go_on":
            return self._race is not None and self._race.state == "not running" and not self._starts
        return True

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Open the run of a method."""
        event.stop()
        self._open(event.key)

    def _open(self, method: str) -> None:
        from spotui.tui.run.screen import RunScreen

        lane = next((one for one in self._race.lanes if one.method == method), None) if self._race else None
        if lane is None:
            return
        if lane.state != "waiting":
            self.app.push_screen(RunScreen(self._folder.project(method)))
        else:
            self.notify(_("{method} has not begun yet.", method=method), markup=False)

    def action_go_on(self) -> None:
        """Take the race up where it ended, in a separate process."""
        if self._race is not None:
            self.run_worker(self._go_on(list(self._race.words)), group="start", exclusive=True)

    async def _go_on(self, words: list[str]) -> None:
        self._starts = True
        self.refresh_bindings()
        try:
            if not any(word.startswith("--name=") for word in words):
                words.append(f"--name={self._folder.name}")
            if not await trusts_template(self, Path(words[1])):
                raise not_trusted()
            await start_race(self._folder, words, self.query_one("#said", Static).update)
        except SpotuiError as error:
            self.notify(error.hint, title=error.what, severity="error", markup=False)
        finally:
            self._starts = False
            await asyncio.sleep(0)
            self._look()

    def action_back(self) -> None:
        """Home; the race goes on."""
        self.app.pop_screen()


def _title(race: Race) -> Content:
    tone = "$text-success" if race.state in {"running", "testing"} else "$text-muted"
    return Content.assemble(
        (race.name, "bold $secondary"),
        _("  race on {template}", template=race.template),
        (f"  {race.state}", tone),
    )


def _cells(lane: Lane) -> tuple[Content | str, ...]:
    tested = lane.tested
    score = interval = gain = ""
    if tested is not None:
        score = points(tested.score)
        interval = "{} to {}".format(*map(points, tested.interval))
        gain = gained(tested.gain, tested.gain_interval) if tested.improved else _("no better prompt")
    rounds = "" if lane.state == "waiting" else f"{lane.rounds} of {lane.wanted}"
    return (
        lane.method,
        gain,
        Content.styled(score, "bold"),
        interval,
        Content.styled(lane.state, _TONES.get(lane.state, "$text-muted")),
        rounds,
        duration(lane.seconds) if lane.seconds else "",
        count(lane.tokens, estimated=lane.estimated) if lane.tokens else "",
        usd(lane.cost_usd, estimated=lane.estimated) if lane.rounds else "",
        "" if lane.score is None else points(lane.score),
    )


def _said(race: Race) -> str:
    if race.state == "not running":
        return _("This race is not running. Press space to resume it; finished calls are not bought again.")
    if race.state == "testing":
        return _("All have run. The best prompt of each is asked the test rows now.")
    if race.state == "running":
        return _(
            "The methods run one after another, on the same rows and with the same budget each. "
            "What their best prompts are worth on rows that nothing has seen before is asked at the end."
        )
    return ""
