"""The tour: a recorded run on the Run screen, with captions that explain what one sees."""

import time
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from spotui.lang import N_, _
from spotui.tui.run.client import TourClient
from spotui.tui.run.screen import RunScreen
from spotui.view.picture import Picture

READ_SECONDS: Final = 7.0
"""How long a caption is shown at least; the run goes on meanwhile."""
_LOOK_SECONDS: Final = 0.5
_GAP: Final = "   "
_ROOM_FOR_TITLE: Final = 60
"""Cells of a screen from which on there is room for the title of a caption beside the keys."""


class Caption(NamedTuple):
    """A sentence or two.

    Attributes:
        title: What it is about.
        text: What one sees.
        is_due: Whether the run has come that far.
    """

    title: str
    text: str
    is_due: Callable[[Picture], bool]


def _round(
    number: int, holds: Callable[[Picture], bool] = lambda _picture: True
) -> Callable[[Picture], bool]:
    """Whether a round has begun, and something holds or a later one has begun."""
    return lambda picture: (
        (number in picture.rounds and holds(picture)) or any(one > number for one in picture.rounds)
    )


def _has_ended(number: int) -> Callable[[Picture], bool]:
    return _round(number, lambda picture: picture.rounds[number].end is not None)


CAPTIONS: Final = (
    Caption(
        N_("The task"),
        N_(
            "A lamp shop wants better replies to its customers. The template (key 1) holds the prompt to "
            "begin with, what a good reply is like, and six questions of customers. This run is a recording; "
            "its replies were written by hand."
        ),
        lambda _picture: True,
    ),
    Caption(
        N_("Round 1: the seed"),
        N_(
            "The executor, the model that the shop uses, answers three of the questions with the seed "
            "prompt. The other three are kept for the end. The log shows each reply as it is written."
        ),
        _round(1),
    ),
    Caption(
        N_("Round 2: a proposal"),
        N_(
            "The optimizer reads the requirements and these replies, says where they fall short, and changes "
            "one thing in the prompt. The requirements are all it needs; model answers are not necessary."
        ),
        _round(2),
    ),
    Caption(
        N_("The candidate"),
        N_(
            "The new prompt is there; the diff (key 3) marks every word that changed. It answers the same "
            "three questions. Key 2 leads back to the log."
        ),
        _round(2, lambda picture: picture.rounds[2].candidate is not None),
    ),
    Caption(
        N_("The judge votes"),
        N_(
            "A judge compares both sets of replies by the requirements, in both orders: A before B, then B "
            "before A. A judge that prefers whatever comes first contradicts itself and decides nothing."
        ),
        _round(2, lambda picture: len(picture.rounds[2].answers) == 3),
    ),
    Caption(
        N_("A win"),
        N_(
            "The votes agree, so the candidate becomes the best prompt, and the next round starts from it. "
            "Rounds (key 4) keeps score, and Best (key 5) has the whole prompt."
        ),
        _has_ended(2),
    ),
    Caption(
        N_("What the judge said counts"),
        N_(
            "From now on the optimizer also reads the judge's reasons; key 9 counts them. The replies still "
            "promised free lamps and discounts, so this candidate binds them to the facts."
        ),
        _round(3, lambda picture: picture.rounds[3].candidate is not None),
    ),
    Caption(
        N_("Not every idea is good"),
        N_(
            "More warmth and more options sounded friendly. The judge sees gushing, and several next steps "
            "where the requirements want one: a loss. The best prompt stays as it was."
        ),
        _has_ended(4),
    ),
    Caption(
        N_("The last gap"),
        N_(
            "Exactly one next step, below 80 words: with this the replies do all that the requirements ask "
            "for."
        ),
        _has_ended(5),
    ),
    Caption(
        N_("Is it noise?"),
        N_(
            "When two prompts are equally good, a judge still says A or B. Because both orders are asked, "
            "such votes cancel out and change nothing."
        ),
        _has_ended(7),
    ),
    Caption(
        N_("The final check"),
        N_(
            "The best prompt and the seed now answer the three questions that no round has seen. This tells "
            "whether the prompt also helps where nobody tuned it."
        ),
        lambda picture: (
            picture.held_out is not None or any(key.purpose == "held_out" for key in picture.calls)
        ),
    ),
    Caption(
        N_("The result"),
        N_(
            "The headline says what the best prompt gains and how sure that is. Progress (key 6) draws the "
            "way there; [ and ] go through the rounds, and a shows replies side by side."
        ),
        lambda picture: picture.stopped is not None,
    ),
    Caption(
        N_("Your turn"),
        N_(
            "Press Escape, choose a template or make one with n, and start a run. You see what it will cost "
            "before anything is asked, and every run can be paused, steered and resumed like this one."
        ),
        lambda picture: picture.stopped is not None,
    ),
)


_OF_REAL_RUNS: Final = frozenset({"stop", "edit_next", "hint", "override"})
"""Actions that tell a run something that a recording does not hear."""


class TourScreen(RunScreen):
    """The recorded run, as any other run, and below it a caption, which names the keys that work now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next_caption", "next caption", id="tour.next", show=False, priority=True),
        Binding("escape", "back", "leave the tour", id="tour.leave", show=False),
    ]

    DEFAULT_CSS = """
    TourScreen #caption {
        height: auto; min-height: 4; max-height: 8; padding: 0 1;
        background: $surface; color: $text; border-top: solid $primary; border-title-color: $primary;
    }
    """

    def __init__(self) -> None:
        client = TourClient()
        super().__init__(client.project, client)
        self._number = -1
        self._since = 0.0
        self._was_due = False

    def parts(self) -> ComposeResult:
        """The run, and below it the caption."""
        yield from super().parts()
        yield Static(id="caption", markup=False)

    def on_mount(self) -> None:
        """Begin with the first caption, and look twice a second whether the next one is due."""
        self._show_next()
        self.set_interval(_LOOK_SECONDS, self._look)
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._name_keys())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A recording can be paused; nothing else of it can be changed.

        Enter belongs to the shown panel after the last caption, and to the search while it is typed.
        """
        if action in _OF_REAL_RUNS:
            return False
        if action == "next_caption":
            return self._number + 1 < len(CAPTIONS) and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    def fill(self) -> None:
        """Show the run and the caption."""
        super().fill()
        self._show_caption()

    def action_next_caption(self) -> None:
        """Show the next caption, if the run has come that far."""
        if self._next_is_due:
            self._show_next()

    @property
    def _next_is_due(self) -> bool:
        following = self._number + 1
        return following < len(CAPTIONS) and CAPTIONS[following].is_due(self._client.picture)

    def _look(self) -> None:
        if self._client.picture.state == "paused":
            self._since = max(self._since, time.monotonic() - READ_SECONDS / 2)
        elif self._next_is_due and time.monotonic() - self._since >= READ_SECONDS:
            self._show_next()
        if self._next_is_due != self._was_due:
            self._was_due = self._next_is_due
            self._name_keys()

    def _show_next(self) -> None:
        self._number += 1
        self._since = time.monotonic()
        self._show_caption()
        self.refresh_bindings()

    def _show_caption(self) -> None:
        self.query_one("#caption", Static).update(Content(_(CAPTIONS[self._number].text)))
        self._name_keys()

    def _name_keys(self) -> None:
        """Say above the caption what Enter and Escape do at this moment."""
        caption = next(iter(self.query("#caption")), None)
        if not isinstance(caption, Static):  # while the screen is made again
            return
        active = {one.binding.id: one.binding for one in self.active_bindings.values() if one.enabled}
        parts: list[str | tuple[str, str]] = [f"{self._number + 1}/{len(CAPTIONS)}"]
        if self.size.width >= _ROOM_FOR_TITLE:
            parts += ["  ", _(CAPTIONS[self._number].title)]
        if "tour.next" in active and not self._next_is_due:
            del active["tour.next"]
            parts += [_GAP, (_("more in a moment"), "$text-muted")]
        for name in ("tour.next", "tour.leave"):
            if name in active:
                binding = active[name]
                key = self.app.get_key_display(binding)
                parts += [_GAP, (key, "bold $accent"), f" {_(binding.description)}"]
        caption.border_title = Content.assemble(*parts)
