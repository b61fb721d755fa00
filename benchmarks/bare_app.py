"""A Textual app with four panels and nothing else: what the screen's figures are compared with."""

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.widgets import DataTable, RichLog, Static, TextArea

MARKER = "of the template"


class BareApp(App[None]):
    CSS = "Grid { grid-size: 2 2; } Grid > * { border: round $primary; height: 1fr; }"

    def compose(self) -> ComposeResult:
        with Grid():
            yield TextArea(f"text {MARKER}")
            yield RichLog()
            yield Static("what changed")
            yield DataTable[str]()

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns("round", "verdict")
        self.query_one(RichLog).write("what happened")


if __name__ == "__main__":
    BareApp().run()
