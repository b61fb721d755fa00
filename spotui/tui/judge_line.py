"""A line about the judge: whether it has been checked, with what result, and the key that checks it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from spotui.errors import SpotuiError
from spotui.tui.judge_check import Offer, offer

if TYPE_CHECKING:
    from textual.worker import WorkType


class JudgeLine(Static):
    """Tells of the judge that a run would have; it is not there where no judge compares anything.

    Args:
        action: What the screen calls the action that leads to `check`; its key is told.
        id: The widget's.
    """

    DEFAULT_CSS = "JudgeLine { height: auto; display: none; &.-told { display: block; } }"

    def __init__(self, action: str, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id, markup=False)
        self._action = action
        self._offer: Offer | None = None
        self._template = ""
        self._words: Sequence[str] = ()

    @property
    def can_check(self) -> bool:
        """Whether there is a judge that can be checked now."""
        return self._offer is not None and self._offer.compares and not self._offer.missing

    def forget(self) -> None:
        """Something else was chosen: what is known of the judge is so no more."""
        self._offer, self._template = None, ""

    async def look(self, template: str, words: Sequence[str] = ()) -> None:
        """Find out about the judge of a run.

        Args:
            template: What it works on: a path, or the name of a shipped template.
            words: Options of that run.
        """
        self.forget()
        self._template, self._words = template, words
        try:
            found = await offer(template, words)
        except SpotuiError:  # what is wrong with the run is told where the run is
            found = None
        if (template, words) == (self._template, self._words):  # nobody has looked for another one meanwhile
            self.show(found, template, words)

    def show(self, found: Offer | None, template: str, words: Sequence[str] = ()) -> None:
        """Tell what is known of the judge of a run.

        Args:
            found: That; None where there is nothing to tell.
            template: As in `look`.
            words: The same.
        """
        self._offer, self._template, self._words = found, template, words
        text = _told(self._offer, Path(template).stem, self._key) if self._offer else None
        self.set_class(text is not None, "-told")
        self.update(text or Content(""))
        self.screen.refresh_bindings()

    @property
    def _key(self) -> str:
        """The key that checks it, which may be one of the user's own."""
        bindings = [active.binding for active in self.screen.active_bindings.values()]
        return next((self.app.get_key_display(one) for one in bindings if one.action == self._action), "")

    def check(self) -> None:
        """Offer the check, and tell what came of it."""
        if not self.can_check or self._offer is None:
            return
        from spotui.tui.judge_check_screen import JudgeCheckScreen

        look: WorkType[None] = partial(self.look, self._template, self._words)

        def look_again(_: None) -> None:
            self.run_worker(look, group="look", exclusive=True)

        self.app.push_screen(JudgeCheckScreen(self._template, self._words, self._offer), look_again)


def _told(offered: Offer, template: str, key: str) -> Content | None:
    if not offered.compares:
        return None
    who = f"Judge: {offered.who}. "
    known = offered.known
    if known is None:
        if offered.missing:
            missing = " and ".join(offered.missing)
            return Content.styled(f"{who}It can be checked once {missing} is on this machine.", "$text-muted")
        ask = f"Not checked yet: {key} does it on {template} ({offered.cost})."
        return Content.assemble((who, ""), (ask, "$text-warning"))
    place = "" if known.template == template else f" on {known.template}"
    fit = "" if known.fit else ", not fit for a run"
    tone = "$text-success" if known.fit else "$text-warning"
    more = "" if not place or offered.missing else f" {key} checks it on {template}."
    return Content.assemble((who, ""), (f"judge-check{place}: {known.line}{fit}.", tone), more)
