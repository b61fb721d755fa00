"""Before something starts: what it may use, what it will take, and a start that can be given up."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec
from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, duration, limit, usd
from spotui.lang import N_, _, ngettext
from spotui.settings.table import DEFAULT_MODEL, ROLES, Role
from spotui.tui.child import ask
from spotui.tui.defaults import Defaults
from spotui.tui.dialogs import FieldDialog, Result, not_trusted, row, text_field, trusts_template
from spotui.tui.judge_check import Offer
from spotui.tui.method_screen import MethodChoice
from spotui.wire.process import Background, OwnProcess
from spotui.workspace.projects import Project, Workspace

if TYPE_CHECKING:
    from textual.worker import Worker, WorkType


_LOOK_SECONDS = 0.05
_AProcess = TypeVar("_AProcess", bound=Background)


class Choices(NamedTuple):
    """What was typed; an empty text leaves it to the template and the settings.

    Attributes:
        model: One model for all three roles.
        base_url: Its endpoint.
        rounds: Rounds in all.
        usd: The budget in USD; the others alike.
        tokens: See `usd`.
        calls: See `usd`.
        minutes: See `usd`.
        method: The method and its parameters; nothing leaves it to the template.
        probes: Whether the run starts from the probes that beat the seed.
        optimizer: The model of this role, in place of `model`; the others alike.
        evaluator: See `optimizer`.
        executor: See `optimizer`.
    """

    model: str = ""
    base_url: str = ""
    rounds: str = ""
    usd: str = ""
    tokens: str = ""
    calls: str = ""
    minutes: str = ""
    method: MethodChoice = MethodChoice()
    probes: bool = False
    optimizer: str = ""
    evaluator: str = ""
    executor: str = ""

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        flags = {
            "--model": self.model,
            "--opt-model": self.optimizer,
            "--eval-model": self.evaluator,
            "--exec-model": self.executor,
            "--base-url": self.base_url,
            "--max-rounds": self.rounds,
            "--budget-usd": self.usd,
            "--budget-tokens": self.tokens,
            "--budget-calls": self.calls,
            "--budget-minutes": self.minutes,
        }
        # One word each, so that a value that begins with a dash is no option.
        words = [*(f"{flag}={value}" for flag, value in flags.items() if value), *self.method.words]
        return [*words, "--start-from-probes"] if self.probes else words

    @property
    def judge_words(self) -> list[str]:
        """Those of them that a check of the run's judge takes."""
        method = MethodChoice(self.method.method)
        return self._replace(rounds="", probes=False, method=method, optimizer="").words

    @property
    def headroom_words(self) -> list[str]:
        """Those of them that a measurement of the headroom takes, which has another budget."""
        return self._replace(rounds="", usd="", tokens="", calls="", minutes="", probes=False).words


class Share(NamedTuple):
    """What a role, or all of them, would take.

    Attributes:
        calls: How many.
        tokens: Both ways.
        usd: USD, or None when a price is unknown.
    """

    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0

    @property
    def line(self) -> str:
        """On one line."""
        return ngettext(
            "{n:,} call, {tokens} tokens, {cost}",
            "{n:,} calls, {tokens} tokens, {cost}",
            self.calls,
            tokens=count(self.tokens),
            cost=usd(self.usd),
        )


def together(shares: Iterable[Share]) -> Share:
    """What several take together; a price that is unknown makes their sum unknown."""
    found = list(shares)
    costs = [one.usd for one in found]
    return Share(
        sum(one.calls for one in found),
        sum(one.tokens for one in found),
        None if None in costs else sum(filter(None, costs)),
    )


class Expected(NamedTuple):
    """What a run would take.

    Attributes:
        line: On one line.
        shares: What each role would take; nothing where there is no estimate.
        used: What the run would use, by the names of the choices, as text.
        warnings: What stands against it.
        judge: What is known of its judge; None when that cannot be checked.
        seconds: How long it would take.
    """

    line: str
    shares: Mapping[Role, Share]
    warnings: list[str]
    judge: Offer | None
    used: Mapping[str, str] = {}
    seconds: float = 0.0


async def expect(workspace: Workspace, template: Path, choices: Choices) -> Expected:
    """Estimate a run; asks no model.

    Args:
        workspace: Whose earlier runs have measured the speed of models.
        template: What the run works on.
        choices: What it uses.

    Raises:
        SpotuiError: The template or a choice is wrong.
    """
    told = await ask(["estimate", str(template), "--json", f"--workspace={workspace.root}", *choices.words])
    if told.fault:
        raise SpotuiError(told.fault)
    found = json.loads(told.out)
    if found is None:
        return Expected(_("unknown, because the method gives no estimate"), {}, [], None)
    shares = {role: together(_shares_of(found["shares"], role)) for role in ROLES}
    whole = together(shares.values())
    line = ngettext(
        "about {n:,} call, {tokens} tokens, {cost}, {time}",
        "about {n:,} calls, {tokens} tokens, {cost}, {time}",
        whole.calls,
        tokens=count(whole.tokens),
        cost=usd(whole.usd),
        time=duration(found["seconds"]),
    )
    if found["measured"]:
        line = _("{line} (speed measured in earlier runs)", line=line)
    return Expected(
        line=line,
        shares=shares,
        warnings=found["warnings"],
        judge=msgspec.convert(found["judge"], Offer | None),
        used=_in_words(found["uses"]),
        seconds=found["seconds"],
    )


def _shares_of(shares: Sequence[Mapping[str, Any]], role: str) -> Iterator[Share]:
    """What each model of a role takes: several can share it."""
    for one in shares:
        if one["role"] == role:
            yield Share(one["calls"], one["prompt_tokens"] + one["completion_tokens"], one["usd"])


def _in_words(uses: Mapping[str, Any]) -> dict[str, str]:
    """What a run would use, as the fields show it where nothing is typed."""
    models: Mapping[str, str] = uses["models"]
    each = set(models.values())
    addresses = {
        address or _("{partition}, its usual address", partition=model.partition("/")[0]): None
        for model, address in uses["endpoints"].items()
    }
    return {
        "model": each.pop() if len(each) == 1 else ", ".join(f"{role} {of}" for role, of in models.items()),
        **models,
        "base_url": ", ".join(addresses),
        "rounds": str(uses["rounds"]),
        **{
            name: _("empty = no limit")
            if uses[name] is None
            else _("{use}, as in your settings", use=limit(uses[name]))
            for name in ("usd", "tokens", "calls", "minutes")
        },
    }


async def begin(
    project: Project, template: Path, choices: Choices, tell: Callable[[str], None]
) -> OwnProcess:
    """Start a run's own process, and wait until it can be attached to.

    Args:
        project: What is to be made.
        template: From what.
        choices: With what.
        tell: Called with what it says while it prepares, such as the progress of fetching a model.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["run", str(template), "--name", project.name, *choices.words], tell)


async def go_on(project: Project, limits: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Start a process that takes a run up where it ended, and wait until it can be attached to.

    Args:
        project: The project.
        limits: Options of `spotui resume`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["resume", project.name, *limits], tell)


async def start(project: Project, words: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Work on a project in a separate process, and wait until it can be attached to.

    Args:
        project: The project.
        words: What would be typed after `spotui`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await wait_for(await asyncio.to_thread(OwnProcess, project, words), tell)


async def wait_for(process: _AProcess, tell: Callable[[str], None]) -> _AProcess:
    """Wait until a process works; it is ended when nobody waits any more.

    Args:
        process: The process.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    said = ""
    try:
        while not process.is_ready():
            await asyncio.sleep(_LOOK_SECONDS)
            if process.said != said:
                said = process.said
                tell(said.splitlines()[-1] if said else "")
    except asyncio.CancelledError:
        await asyncio.to_thread(process.end)
        raise
    return process


ROLE_NAMES: Final = {
    "optimizer": N_("  Optimizer"),
    "evaluator": N_("  Evaluator"),
    "executor": N_("  Executor"),
}
"""The labels of the models of single roles, below that of all."""

_QUIET_SECONDS = 0.3
"""How long nobody types before the estimate is made again."""

_NOT_ESTIMATED = "…"
BUDGET = ("usd", "tokens", "calls", "minutes")
_BUDGET_NAMES = (N_("USD"), N_("tokens"), N_("calls"), N_("minutes"))


class StartDialog(FieldDialog[Result | None]):
    """Starts what a subclass is about; gives back what was started, or None when it is left with Escape.

    A subclass composes a field for the name and for every choice but the method, and says in `expected` and
    `begin` what is estimated and started.

    Args:
        workspace: Where it will be.
        template: What it works on.
    """

    DEFAULT_CSS = """
    StartDialog {
        & Label { width: 21; }
        & > VerticalScroll { padding: 1 1 0 1; }
        & #expected { height: auto; min-height: 3; margin: 1 0 0 0; }
        & .share { width: auto; max-width: 40; margin: 0 0 0 2; color: $text-muted; }
        &.-narrow .share { display: none; }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-wide")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, workspace: Workspace, template: Path) -> None:
        super().__init__()
        self._workspace = workspace
        self._template = template
        self._start: Worker[None] | None = None

    async def expected(self) -> Content:
        """What it would take, as it is typed now.

        Raises:
            SpotuiError: The template or a choice is wrong.
        """
        raise NotImplementedError

    async def begin(self, name: str) -> Result:
        """Start it, and wait until it works.

        Args:
            name: What it is to be called.

        Raises:
            SpotuiError: It did not start, and why.
        """
        raise NotImplementedError

    @property
    def chosen(self) -> Choices:
        """What stands in the fields; the method is left to the template."""
        ids = {field.id for field in self.query(Input)}
        typed: dict[str, Any] = {field: self.typed_in(field) for field in Choices._fields if field in ids}
        return Choices(**typed, method=MethodChoice())

    def on_mount(self) -> None:
        """Estimate what stands there."""
        self.estimate()

    def fill(self) -> None:
        """Estimate it again; a start that is under way goes on."""
        if self._start is not None and not self._start.is_finished:
            self.say(_("Starting…"))
        else:
            self.estimate()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate again once nobody types."""
        event.stop()
        if event.input.id != "name":
            self.estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it, unless what it will take is not shown yet."""
        event.stop()
        if self.query_one("#expected", Static).content == _NOT_ESTIMATED:
            self.notify(_("What it will take is not worked out yet. Press Enter again when you see it."))
        elif self._start is None or self._start.is_finished:
            self._start = self.run_worker(self._begin(), group="begin")

    def action_back(self) -> None:
        """Leave; a start that is under way is given up first."""
        if self._start is not None and not self._start.is_finished:
            self._start.cancel()
            self.say(_("It was not started."))
        else:
            self.dismiss(None)

    def estimate(self) -> None:
        """Make the estimate again, in place of one that is being made."""
        # As a function: a coroutine that is replaced before it begins is complained of.
        work: WorkType[None] = self.work_out
        self.run_worker(work, group="estimate", exclusive=True)

    async def work_out(self) -> None:
        """Find out what it would take once nobody types, and tell it."""
        is_first = self.query_one("#expected", Static).content == _NOT_ESTIMATED
        await asyncio.sleep(0 if is_first else _QUIET_SECONDS)
        try:
            self._tell(await self.expected())
        except SpotuiError as error:
            self._refuse(error)

    def show_used(self, used: Mapping[str, str]) -> None:
        """Show in the empty fields which values will be used.

        Args:
            used: By the ids of the fields.
        """
        for field, value in used.items():
            for shown in self.query(f"#{field}").results(Input):
                shown.placeholder = value

    async def offer_models(self) -> None:
        """Complete the models of the config file and the embedded one where a model is typed."""
        config = await asyncio.to_thread(Defaults)
        known = SuggestFromList([*config.config.config.models, DEFAULT_MODEL])
        for field in ("model", *ROLES):
            self.query_one(f"#{field}", Input).suggester = known

    def say(self, text: str) -> None:
        """Tell something in place of the estimate."""
        self._tell(Content(text))

    async def _begin(self) -> None:
        self.workers.cancel_group(self, "estimate")  # it would replace what is said of the start
        self.say(_("Starting…"))
        try:
            if not await trusts_template(self, self._template):
                raise not_trusted()
            started = await self.begin(self.typed_in("name"))
        except SpotuiError as error:
            self._refuse(error)
        else:
            self.dismiss(started)

    def _refuse(self, error: SpotuiError) -> None:
        self._tell(Content.styled(str(error), "$text-error"))

    def _tell(self, text: Content) -> None:
        self.query_one("#expected", Static).update(text)


def budget(label: str, first: Choices) -> ComposeResult:
    """The rows of what may be used.

    Args:
        label: What it is for.
        first: What the fields hold at first.
    """
    for field, name in zip(BUDGET, _BUDGET_NAMES, strict=True):
        yield row(
            _("{label}, {name}", label=label, name=_(name)),
            text_field(field, getattr(first, field), _("empty = no limit")),
        )


def share_of(role: str) -> Static:
    """Where it is shown what a role would take, beside the field of its model."""
    return Static(id=f"share-{role}", classes="share", markup=False)


def estimate_line() -> Static:
    """Where the estimate is shown."""
    return Static(_NOT_ESTIMATED, id="expected", markup=False)


def warning_lines(warnings: list[str]) -> list[Content]:
    """What stands against it, a line each."""
    return [Content.styled(_("Warning: {text}", text=warning), "$text-warning") for warning in warnings]
