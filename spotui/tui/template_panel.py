"""The template, as YAML."""

from textual.widgets import TextArea


class TemplatePanel(TextArea):
    """The template's text."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False)
        self.border_title = "Template"
        self.cursor_blink = False
