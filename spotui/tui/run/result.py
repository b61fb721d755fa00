"""How a run ended, and what it is worth."""

from textual.content import Content
from textual.widgets import Static

from spotui.view.picture import Picture
from spotui.view.worth import worth

_TONES = {
    "failed": "$text-error",
    "unmarked": "$text-error",
    "budget": "$text-warning",
    "stopped": "$text-warning",
}


class RunResult(Static):
    """Two lines at most, which are there once a run has stopped."""

    DEFAULT_CSS = """
    RunResult {
        height: auto; max-height: 3; padding: 0 1; display: none; background: $panel;
        &.-there { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._told = Content("")

    def show(self, picture: Picture) -> None:
        """Paint again, if the run has stopped or begun again."""
        told = _told(picture)
        if told != self._told:
            self._told = told
            self.update(told)
            self.set_class(bool(told), "-there")


def _told(picture: Picture) -> Content:
    stopped = picture.stopped
    if stopped is None:
        return Content("")
    gain = "bold $text-success" if stopped.improved else "bold"
    cause = " ".join(stopped.cause.split())
    tone = _TONES.get(stopped.reason, "$text-muted")
    text = worth(picture, stopped)
    if cause in text:  # such as a spent budget, which also kept the prompt from being checked
        cause = ""
    return Content.assemble((text, gain), "  ", (cause, tone))
