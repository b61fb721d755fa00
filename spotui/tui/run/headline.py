"""The headline of a run: what it has gained, what is left of the budget, and how long it will take."""

from textual.content import Content
from textual.widget import Widget

from spotui.domain.figures import duration
from spotui.lang import _
from spotui.view.headline import Budget, Gain, budget, gain, seconds_left
from spotui.view.picture import Picture

_BAR = 10
_LONGEST_BAR = 24
_GAP = "   "
_NEARLY_SPENT = 0.9


class RunHeadline(Widget):
    """One row: the gain at the left, the budget as a bar and the time left at the right."""

    DEFAULT_CSS = "RunHeadline { height: 1; padding: 0 1; background: $panel; color: $foreground; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Gain, Budget | None, str] = (Gain(("",)), None, "")

    def show(self, picture: Picture) -> None:
        """Paint again, if anything that is shown has changed."""
        left = seconds_left(picture) if picture.state == "running" else None
        time = "" if left is None or left < 1 else _("about {duration} left", duration=duration(left))
        shown = gain(picture), budget(picture), time
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Content:
        """The gain in full while there is room for it beside the budget, else in brief."""
        found, spent, time = self._shown
        width = self.content_size.width
        style = "bold $text-success" if found.is_beyond_noise else "bold"
        texts = [Content(text) for text in found.texts]
        room = width - _length(spent, time, _BAR)
        text = next((one for one in texts if one.cell_length <= room), texts[-1])
        has_bar = text is not texts[-1] or len(texts) == 1
        if not has_bar:  # the figures say more than a bar
            room = width - _length(spent, time, 0)
            text = next((one for one in texts if one.cell_length <= room), texts[-1])
            has_bar = text is texts[-1]
        if text.cell_length > room:
            spent, time, room = None, "", width
        text = text.truncate(room, ellipsis=True).stylize(style)
        bar = 0
        if has_bar:
            bar = min(_LONGEST_BAR, width - text.cell_length - _length(spent, time, 0) - 1)
        right = _right(spent, time, bar)
        return Content.assemble(text, " " * max(0, width - text.cell_length - right.cell_length), right)


def _length(spent: Budget | None, time: str, bar: int) -> int:
    return len(_GAP) + _right(spent, time, bar).cell_length


def _right(spent: Budget | None, time: str, bar: int) -> Content:
    parts: list[str | tuple[str, str]] = []
    if spent is not None:
        parts = [f"{spent.name} "]
        if bar > 0:
            full = min(bar, round(spent.share * bar))
            tone = "$text-warning" if spent.share >= _NEARLY_SPENT else "$primary"
            parts += [("█" * full, tone), ("░" * (bar - full), "$text-muted"), " "]
        parts.append(spent.text)
    if time:
        parts.append(f"  {time}" if parts else time)
    return Content.assemble(*parts)
