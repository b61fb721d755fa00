"""What comes from the terminal and goes to it: keys typed ahead, a clipboard, characters that nobody sees.

Of keys that arrive faster than they are handled, each waits for the effects of the one before.
"""

import base64
import os
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from spotui.domain.text import guard, visible_in_place

Result = TypeVar("Result")

LOOK_SECONDS: Final = 0.01
"""How often to look whether a screen that is opening can take keys."""
PATIENCE_SECONDS = 10.0
"""The longest that keys wait. They are dropped then, so that they never reach another screen."""
_ROUNDS: Final = 5
"""How many more markers travel behind a key. A choice in a list passes several widgets until it opens a
screen, and each marker lets every one of them handle one message."""


@dataclass
class KeyHandled(Message):
    """Comes up to the app behind a key, along the same way.

    Args:
        number: The number of the key.
        rounds: How many more markers are to follow.
    """

    number: int
    rounds: int


class ReadyForKeys:
    """A screen that can say when it takes keys; others take them as soon as they are mounted."""

    def is_ready_for(self, event: Event) -> bool:
        """Whether a key or a pasted text can be handled now.

        Args:
            event: The key or the pasted text.
        """
        raise NotImplementedError


class TypedAheadApp(App[None]):
    """Handles one key after another, each when the effects of the one before are there.

    Textual hands every key to the widget that has focus at once. A letter is written there, while a key that
    is bound to an action goes up to the app first: of a burst, letters would come before a Backspace that was
    typed ahead of them, and keys meant for a dialog would reach the screen beneath it until it is open.
    """

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._typed: deque[Key | Paste] = deque()
        self._number = 0
        self._target: MessagePump | None = None
        self._waits_since = 0.0
        self._looks = False
        self._openings: dict[Worker[Any], Screen[Any]] = {}

    def hold_keys_for(self, opening: Worker[Any]) -> None:
        """Hold back keys until a worker has opened a screen or ended; again when that screen is closed.

        Args:
            opening: The worker.
        """
        self._openings[opening] = self.screen

    async def on_event(self, event: Event) -> None:
        """Take a key into the queue; everything else is handled at once."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            if not self._typed:
                self._waits_since = time.monotonic()
            self._typed.append(event)
            await self._hand_over()
        else:
            await super().on_event(event)

    async def on_key_handled(self, event: KeyHandled) -> None:
        """A key has come to its end, or the marker behind it has."""
        if event.number != self._number or self._target is None:
            return
        if event.rounds:
            self._follow(self._receiver, event.rounds - 1)
        else:
            self._target = None
            await self._hand_over()

    async def _hand_over(self) -> None:
        """Give the next key to the widget that has focus, if the last one is done and the screen is ready."""
        if not self._typed or not self.screen_stack:
            return
        if self._target is not None or not self._takes(self._typed[0]):
            self._look_again()
            return
        event = self._typed.popleft()
        self._waits_since = time.monotonic()
        self._number += 1
        target = self._receiver
        is_text = isinstance(event, Paste) or _is_written(target, event)
        self._target = target
        await super().on_event(event)
        self._follow(target, 0 if is_text else _ROUNDS)

    def _follow(self, target: MessagePump, rounds: int) -> None:
        self._target = target
        if not target.post_message(KeyHandled(self._number, rounds)):
            self._target = self
            self.post_message(KeyHandled(self._number, rounds))
        if self._typed:
            self._look_again()

    def _look_again(self) -> None:
        if not self._looks:
            self._looks = True
            self.set_timer(LOOK_SECONDS, self._look)

    async def _look(self) -> None:
        self._looks = False
        if self._typed and time.monotonic() - self._waits_since > PATIENCE_SECONDS:
            self._typed.clear()
            self._openings.clear()
            self._target = None
        elif self._target is not None and not (self._target.is_attached and self._target.is_running):
            self._follow(
                self.focused or self.screen, _ROUNDS
            )  # a widget that was removed never says it is done
        await self._hand_over()

    @property
    def _receiver(self) -> MessagePump:
        """Where a key goes; the app itself while it closes."""
        return (self.focused or self.screen) if self.screen_stack else self

    def _takes(self, event: Key | Paste) -> bool:
        screen = self.screen
        if self._is_opening or not screen.is_mounted:
            return False
        return not isinstance(screen, ReadyForKeys) or screen.is_ready_for(event)

    @property
    def _is_opening(self) -> bool:
        self._openings = {worker: base for worker, base in self._openings.items() if not worker.is_finished}
        return self.screen in self._openings.values()


def _is_written(target: MessagePump, key: Key) -> bool:
    return isinstance(target, Widget) and target.check_consume_key(key.key, key.character)


def open_by(
    node: DOMNode, opening: Coroutine[Any, Any, Result], *, group: str, exclusive: bool = False
) -> Worker[Result]:
    """Run a worker that opens a dialog or a screen; the keys typed meanwhile are meant for that.

    Args:
        node: On whose behalf.
        opening: What to run.
        group: The worker's group.
        exclusive: Whether it replaces another worker of the group.
    """
    worker = node.run_worker(opening, group=group, exclusive=exclusive)
    if isinstance(node.app, TypedAheadApp):
        node.app.hold_keys_for(worker)
    return worker


def passed_through(text: str) -> str:
    """What tmux hands on to the terminal outside, for its clipboard (OSC 52); empty where there is no tmux.

    tmux keeps the bare sequence to itself unless `set-clipboard` is on; it hands on a wrapped one where
    `allow-passthrough` is on.
    """
    if not os.environ.get("TMUX"):
        return ""
    bare = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    return "\x1bPtmux;" + bare.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def guard_screen() -> None:
    """Paint every hidden character as a mark from now on."""
    from rich import text
    from textual import content

    guard(content, "_strip_control_codes", visible_in_place)  # every label, log, answer and toast
    guard(text, "strip_control_codes", visible_in_place)  # what is typed into: editors and input fields
