"""What is painted when focus moves: a cursor and the frames of two panels, not what stands in them.

Textual paints a widget anew, and with a frame's colours everything inside, when focus comes or goes. Over SSH
the bytes follow the area that is painted, and a key waits for its painting.

Both classes stand last among the bases: Textual takes styles and keys from the first.
"""

from typing import Self

from textual.events import Blur, DescendantBlur, DescendantFocus, Focus
from textual.geometry import Region
from textual.widget import Widget


class PaintsItsCursor(Widget):
    """A widget of which nothing but a cursor looks different while it has focus."""

    def paint_cursor(self) -> None:
        """Paint the cursor anew, where there is one."""

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show it in the frame, where there is one; other styles are the same, and take long to look up."""
        if self.has_class("framed"):
            self.update_node_styles()

    def on_focus(self, event: Focus) -> None:
        """Show the cursor."""
        event.prevent_default()
        self.has_focus = True
        self.paint_cursor()
        if self.parent is not None:
            self.parent.post_message(DescendantFocus(self))

    def on_blur(self, event: Blur) -> None:
        """Hide the cursor."""
        event.prevent_default()
        self.has_focus = False
        self.paint_cursor()
        if self.parent is not None:
            self.parent.post_message(DescendantBlur(self))


class Framed(Widget):
    """A panel whose frame alone is painted when it becomes the shown one, or another does."""

    _is_marking = False

    def mark(self, *, is_shown: bool) -> None:
        """Give it the frame of the panel that is shown, or take it away.

        Args:
            is_shown: Whether it is the one.
        """
        self.set_class(is_shown, "-shown", update=False)
        self._is_marking = True
        try:
            # Its descendants look the same: `update` would style them, too.
            self.app.stylesheet.update_nodes([self])
        finally:
            self._is_marking = False

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint it anew; see `Widget.refresh`."""
        if self._is_marking and not regions:
            regions = self._frame
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @property
    def _frame(self) -> tuple[Region, ...]:
        """The four sides, from the corner of the content."""
        x, y = self.content_offset
        width, height = self.outer_size
        sides = (
            Region(0, 0, width, 1),
            Region(0, height - 1, width, 1),
            Region(0, 1, 1, height - 2),
            Region(width - 1, 1, 1, height - 2),
        )
        return tuple(side.translate((-x, -y)) for side in sides)
