"""What judges say again and again."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from spotui.lang import _, ngettext
from spotui.tui.focus_paint import Framed
from spotui.tui.line_view import BlockList, wrap
from spotui.tui.run.following import RunPanel
from spotui.view.picture import Picture
from spotui.view.reasons import Group, Reasons

_Block = tuple[int, int, int, str]
_INDENT = 3


class ReasonsView(BlockList[_Block]):
    """A block for each reason: how often it was given, for and against candidates, and the reason."""

    def block(self, number: int, width: int) -> list[Content]:
        """The counts, and the reason below them."""
        count, wins, losses, text = self.shown_blocks[number]
        if not count:
            return [Content.styled(line, self.tone("faint")) for line in wrap(text, width)]
        parts: list[str | tuple[str, object]] = [
            (ngettext("{n:,} time", "{n:,} times", count), self.tone("heading"))
        ]
        if wins:
            parts.append((_("   {n} for a candidate", n=wins), self.tone("win")))
        if losses:
            parts.append((_("   {n} against", n=losses), self.tone("warning")))
        title = Content.assemble(*parts)  # type: ignore[arg-type]
        lines = [Content(line).pad_left(_INDENT) for line in wrap(text, max(1, width - _INDENT))]
        return [title.truncate(width), *lines]


class ReasonsPanel(Vertical, Framed, RunPanel):
    """The recurring reasons of the judge, and of models that write notes, the most frequent first."""

    ALLOW_MAXIMIZE = True

    DEFAULT_CSS = "ReasonsPanel ReasonsView { height: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Reasons")
        self._reasons = Reasons()

    def compose(self) -> ComposeResult:
        """The reasons."""
        yield ReasonsView()

    def on_mount(self) -> None:
        """Say what will be here."""
        self._put()

    def show(self, picture: Picture) -> None:
        """Count what is new."""
        if not self._reasons.update(picture):
            return
        recurring = self._put()
        total = ngettext("{n:,} reason in all", "{n:,} reasons in all", self._reasons.total)
        self.border_subtitle = total if recurring else _("{total}, none of them recurs yet", total=total)

    def _put(self) -> list[Group]:
        """Show the reasons that were given more than once, or that there is none yet."""
        recurring = self._reasons.recurring
        blocks = [(one.count, one.wins, one.losses, one.text) for one in recurring]
        none = (0, 0, 0, _("What a judge gives as a reason more than once appears here."))
        self.query_one(ReasonsView).put(blocks or [none])
        return recurring
