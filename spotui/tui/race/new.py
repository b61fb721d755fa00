"""Before a race starts: who takes part, with which budget, and what it will take."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import clock, count, usd
from spotui.lang import N_, _
from spotui.settings.table import LIMITS, ROLES, BudgetSettings, Role, text_of
from spotui.settings.values import KindError, convert_text
from spotui.tui.dialogs import field_keys, row, text_field
from spotui.tui.expected import Choices, Expected, Share, expect, together
from spotui.tui.method_screen import MethodChoice, typed
from spotui.tui.start_dialog import (
    BUDGET,
    ROLE_NAMES,
    StartDialog,
    budget,
    estimate_line,
    share_of,
    wait_for,
    warning_lines,
)
from spotui.wire.process import OwnRace
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder, shared


class Entrants(NamedTuple):
    """The methods that race, and their parameters.

    Attributes:
        methods: As they were typed, with commas between them.
        parameters: As they were typed: METHOD.NAME=VALUE, with blanks between them.
        continues: Whether they share half of the budget, and the most promising one has the rest.
    """

    methods: str
    parameters: str = ""
    continues: bool = False

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        words = [f"--methods={self.methods}", *(f"--set={one}" for one in self.parameters.split())]
        return [*words, "--continue"] if self.continues else words

    @property
    def each(self) -> list[MethodChoice]:
        """Every method with its parameters."""
        names = [name.strip() for name in self.methods.split(",") if name.strip()]
        return [MethodChoice(name, self._of(name)) for name in dict.fromkeys(names)]

    def _of(self, method: str) -> dict[str, str | int | float | bool | None]:
        own = (
            one.removeprefix(f"{method}.") for one in self.parameters.split() if one.startswith(f"{method}.")
        )
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
        raise SpotuiError(_("A race needs at least two methods."), _("Write, for example, spo,gpo,gradsum."))
    if entrants.continues:
        choices = _sharing(choices, len(each))
    found = await asyncio.gather(*(expect(workspace, template, choices._replace(method=one)) for one in each))
    if entrants.continues and not any(map(_is_limited, found)):
        raise SpotuiError(
            _("There is no budget to share between the methods and the one that continues."),
            _("Set one above, or press ^t again."),
        )
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
    ("parameters", N_("Parameters"), N_("e.g. gpo.max_steps=6 gradsum.beam=2")),
    ("model", N_("Model of all roles"), "…"),
    *((role, ROLE_NAMES[role], "…") for role in ROLES),
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

    DEFAULT_CSS = "NewRaceScreen > VerticalScroll { width: 100; }"

    AUTO_FOCUS = "#methods"

    _continues = False

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(f"{self._template.stem}-race"), "methods": _USUAL}
        with VerticalScroll(can_focus=False) as box:
            box.border_title = Content(_("New race on {template}", template=self._template.name))
            box.border_subtitle = _("enter starts, ^t continues the best, escape cancels")
            for field, name, meaning in _FIELDS:
                shown = text_field(field, first.get(field, ""), meaning if meaning == "…" else _(meaning))
                with row(_(name), shown):
                    if field in ROLES:
                        yield share_of(field)
            yield from budget(self._whose_budget, Choices())
            yield estimate_line()

    @property
    def _entrants(self) -> Entrants:
        return Entrants(self.typed_in("methods") or _USUAL, self.typed_in("parameters"), self._continues)

    def action_continue(self) -> None:
        """Share half of the budget between the methods, and let the most promising one have the rest."""
        self._continues = not self._continues
        self.name_budget(self._whose_budget)
        self.estimate()

    @property
    def _whose_budget(self) -> str:
        return _("Budget") if self._continues else _("Budget each")

    def on_mount(self) -> None:
        """Offer the models that are known where one is typed."""
        self.run_worker(self.offer_models(), group="offer")

    def fill(self) -> None:
        """Show the estimate, and offer the models again."""
        super().fill()
        self.run_worker(self.offer_models(), group="offer")

    async def expected(self) -> Content:
        """What the run of every method would take."""
        found = await expect_race(self._workspace, self._template, self._entrants, self.chosen)
        rounds = ", ".join(f"{method} {one.used['rounds']}" for method, one in found if one.used)
        used = next((dict(one.used) for _unused, one in found if one.used), {})
        models = {used[role] for role in ROLES if role in used}
        several = {"model": _("one for each role:")} if len(models) > 1 else {}
        self.show_used(used | several | ({"rounds": rounds} if used else {}))
        told = _told(found)
        for role in ROLES:
            known = [one.shares[role] for _unused, one in found if one.shares]
            self.query_one(f"#share-{role}", Static).update(together(known).line if known else "")
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


_TITLES: Final = (
    *(N_("optimizer"), N_("evaluator"), N_("executor")),
    *(N_("calls"), N_("tokens"), N_("USD"), N_("time")),
)
"""The columns of what each method takes: by role, and in all."""


def _told(expected: list[tuple[str, Expected]]) -> Content:
    """What each method takes, and what all of them take."""
    lines = [Content.styled(_("Expected, one after another:"), "$text-muted"), *_table(expected)]
    lines += warning_lines(
        list(dict.fromkeys(warning for _unused, one in expected for warning in one.warnings))
    )
    return Content("\n").join(lines)


def _table(expected: list[tuple[str, Expected]]) -> Iterator[Content]:
    """A row for each method: by role its USD, or its calls where nothing is known to cost any, and in all."""
    known = {method: one for method, one in expected if one.shares}
    sums = {role: together(one.shares[role] for one in known.values()) for role in ROLES}
    is_priced = bool(together(sums.values()).usd)
    rows = {method: _cells(one.shares, one.seconds, is_priced=is_priced) for method, one in known.items()}
    if len(known) > 1:
        seconds = sum(one.seconds for one in known.values())
        rows[_("in all")] = _cells(sums, seconds, is_priced=is_priced)
    titles = [_(title) for title in _TITLES]
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows.values(), strict=True)]
    name = max(map(cell_len, [*rows, *(method for method, _unused in expected)]))
    if rows:
        yield Content.styled(_line(" " * name, titles, widths), "$text-muted")
    for method, cells in rows.items():
        yield Content.styled(_line(set_cell_size(method, name), cells, widths), "bold")
    for method, one in expected:
        if method not in known:
            yield Content.assemble(set_cell_size(method, name), "  ", (one.line, "bold"))


def _cells(shares: Mapping[Role, Share], seconds: float, *, is_priced: bool) -> list[str]:
    whole = together(shares.values())
    of_roles = [usd(shares[role].usd) if is_priced else f"{shares[role].calls:,}" for role in ROLES]
    return [*of_roles, f"{whole.calls:,}", count(whole.tokens), usd(whole.usd), clock(seconds)]


def _line(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (" " * (width - cell_len(cell)) + cell for cell, width in zip(cells, widths, strict=True))
    return "  ".join([name, *padded])
