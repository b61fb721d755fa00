"""One prompt's answer to a question of the moment, as its events paint it."""

from dataclasses import dataclass
from typing import Literal

from spotui.domain.events import (
    Answered,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    Event,
)
from spotui.domain.figures import count, duration, usd
from spotui.lang import _, anew
from spotui.view.telling import CUTS

State = Literal["idle", "asked", "answered", "failed", "stopped"]


@dataclass
class Tried:
    """What is known of one answer.

    Attributes:
        state: How it stands.
        text: The answer, as far as it is there.
        began: When the question was asked, seconds since 1970.
        thought: Characters of reasoning so far.
        trouble: Why there is no answer, or why it is asked again.
        retry_at: When it is asked again; 0 when that is not due.
        end: What it took, once it is whole.
    """

    state: State = "idle"
    text: str = ""
    began: float = 0.0
    thought: int = 0
    trouble: str = ""
    retry_at: float = 0.0
    end: CallFinished | None = None

    def ask(self, now: float) -> None:
        """Begin anew."""
        self.state, self.began, self.end = "asked", now, None
        self._forget()

    def apply(self, event: Event) -> None:
        """Let an event of this answer change it."""
        match event:
            case CallStarted():
                self._forget()
            case CallDelta():
                self.text += event.text
                self.thought += len(event.reasoning)
            case CallRetried():
                self._forget()
                self.trouble, self.retry_at = event.error, event.at + event.wait
            case CallDropped():
                self.trouble = event.why
            case CallFinished():
                self.end = event
            case Answered():
                self.state, self.text = "answered", event.answer
            case _:
                pass

    def fail(self, why: str) -> None:
        """There will be no answer."""
        if self.state == "asked":
            self.state, self.trouble, self.retry_at = "failed", why, 0.0

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self.state == "asked":
            self.state, self.retry_at = "stopped", 0.0

    def say(self, now: float) -> str:
        """How it stands, on one line.

        Args:
            now: The time, in seconds since 1970.
        """
        match self.state:
            case "idle":
                return _("Not asked yet.")
            case "failed":
                return anew(self.trouble)
            case "stopped":
                return _("Stopped; the endpoint may charge for what it had written.")
            case "answered" if self.end is not None:
                return _facts(self.end)
            case _:
                return self._under_way(now)

    def _under_way(self, now: float) -> str:
        if self.retry_at > now:
            return _(
                "{trouble} Asked again in {retry_at}.",
                trouble=self.trouble,
                retry_at=duration(self.retry_at - now),
            )
        seconds = int(max(0.0, now - self.began))
        if self.thought and not self.text:
            return _("thinking, {seconds} s …", seconds=seconds)
        return _("answering, {seconds} s …", seconds=seconds)

    def _forget(self) -> None:
        self.text = self.trouble = ""
        self.thought, self.retry_at = 0, 0.0


def _facts(end: CallFinished) -> str:
    asked = count(end.prompt_tokens, estimated=end.estimated)
    facts = [
        _(
            "{asked} tok in, {completion_tokens} out",
            asked=asked,
            completion_tokens=count(end.completion_tokens, estimated=end.estimated),
        ),
        usd(end.cost_usd, estimated=end.estimated),
        duration(end.seconds),
    ]
    if cut := CUTS.get(end.finish_reason):
        facts.append(_(cut))
    return "  ".join(facts)
