"""Keys that arrive faster than they are handled, as over a slow connection, keep their order."""

import time
from collections import deque

from textual.app import App
from textual.events import Event, Key
from textual.message import Message

PATIENCE_SECONDS = 0.1
"""The longest that one key holds up the next: a widget that is removed meanwhile never says it is done."""


class KeyHandled(Message):
    """Comes up to the app behind a key, along the same way."""


class TypedAheadApp(App[None]):
    """Handles one key after another.

    Textual hands every key to the widget that has focus at once. A letter is written there, while a key that
    is bound to an action goes up to the app first: of a burst, letters come before a Backspace or a Tab that
    was typed ahead of them.
    """

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._typed: deque[Key] = deque()
        self._handled_since = 0.0

    async def on_event(self, event: Event) -> None:
        """Hold back a key while another is being handled."""
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._typed or time.monotonic() - self._handled_since < PATIENCE_SECONDS:
            self._typed.append(event)
            self.set_timer(PATIENCE_SECONDS, self._handle_next)
        else:
            await self._handle(event)

    async def on_key_handled(self) -> None:
        """A key has come to its end."""
        self._handled_since = 0.0
        await self._handle_next()

    async def _handle_next(self) -> None:
        if self._typed and time.monotonic() - self._handled_since >= PATIENCE_SECONDS:
            await self._handle(self._typed.popleft())

    async def _handle(self, key: Key) -> None:
        self._handled_since = time.monotonic()
        target = self.focused or self.screen
        await super().on_event(key)
        if not target.post_message(KeyHandled()):
            self._handled_since = 0.0
