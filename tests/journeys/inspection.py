"""What a person would complain of on a screen: a sentence that is cut, and English among Chinese."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, Final

from babel.messages.pofile import read_po
from rich.cells import cell_len
from textual.app import App
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from spotui import lang
from spotui.settings.resources import every_example
from spotui.tui.page import KeyHints
from spotui.tui.table_view import TableView
from tests.command_line import ROOT
from tests.tui.settling import text_of

# A word that touches a frame is partly behind a dialog or a notification.
_LATIN: Final = re.compile(r"(?<![│▌╯╮\w])(?>[A-Za-z][\w.'/@-]*(?:[ ,:]+[A-Za-z][\w.'/@-]*)*)(?![│▌╭╰])")
_WORD: Final = re.compile(r"[A-Za-z]+")
_CUT: Final = re.compile(r"([^\s│…]+(?: [^\s│…]+)*) ?…")
_UNDER_WAY: Final = re.compile(r"\d s ?$")
"""The seconds of a call that is under way end in an ellipsis, which says so."""
_KEYS: Final = frozenset({"esc", "space", "tab", "f", "AB", "BA", "OPENAI", "BASE", "URL", "http"})
"""Names that are the same in every language."""

_STOP_WORDS: Final = {*"a an and are as by every for from in is it no not of on or that the to with".split()}  # noqa: SIM905
"""English words that only an example or a path in a Chinese text has."""

_FRAMES: Final = re.compile(r"[│─╭╮╰╯▌▐▊▎]+")
_CORNERS: Final = 4
"""Cells of a frame beside its title."""


def faults_of(app: App[Any], language: str, data: str, names: AbstractSet[str]) -> list[str]:
    """What is wrong with the screen as it is shown.

    Args:
        app: The app.
        language: What it is shown in.
        data: Prompts, questions and answers on it, which may be cut and are in their own language.
        names: Words of names.
    """
    found = [*_cut_widgets(app, data), *cut_texts(text_of(app), data)]
    return found if language == "en" else [*found, *english_in(text_of(app), data, names)]


def cut_texts(screen: str, data: str) -> Iterator[str]:
    """Texts that end in an ellipsis and are neither data nor end in one in the catalogue."""
    whole, texts = (
        _bare(f"{data}\n{_examples()}"),
        _bare("\n".join(text for pair in catalogue().items() for text in pair)),
    )
    screen = _FRAMES.sub("│", screen)
    for text in _CUT.findall(screen):
        tail = _bare(text)[-12:]
        last = _bare(text.rpartition("  ")[2])
        if _UNDER_WAY.search(text):
            continue
        if f"{tail}…" not in texts and last not in whole and tail not in whole:
            yield f"cut: {text}…"


def english_in(screen: str, data: str, names: AbstractSet[str]) -> Iterator[str]:
    """Latin words of a Chinese screen that the Chinese catalogue never uses and that are no data."""
    for phrase in _LATIN.findall(screen):
        known = _latin_of_the_catalogue() | names | _KEYS
        if not {*_WORD.findall(phrase)} <= known and " ".join(phrase.split()) not in f"{data}\n{_examples()}":
            yield f"English: {phrase}"


def _cut_widgets(app: App[Any], data: str) -> Iterator[str]:
    for widget in app.screen.walk_children(Widget):
        if not widget.display or not widget.is_on_screen or not widget.region.area:
            continue
        name = f"{type(widget).__name__}#{widget.id or ''}"
        width = widget.content_size.width
        if isinstance(widget, Static) and not _scrolls(widget):
            needed = widget.get_content_height(app.size, app.size, width)
            if needed > widget.content_size.height or not _is_whole(app, widget):
                yield f"{name} is cut: {widget.visual}"
        is_cut = isinstance(widget, Input) and not widget.value and cell_len(widget.placeholder) > width
        if isinstance(widget, Input) and is_cut and widget.placeholder not in data:
            yield f"{name} has a placeholder that is cut: {widget.placeholder}"
        for title in (widget.border_title, widget.border_subtitle):
            if title and cell_len(Content.from_text(title).plain) > widget.size.width - _CORNERS:
                yield f"{name} has a title that is cut: {title}"
        if isinstance(widget, TableView) and widget.keys:
            titles = widget.render_line(widget._head - 1).text
            for column, room in zip(
                widget._columns, widget._widths(widget.scrollable_content_region.width), strict=True
            ):
                if room and column.title and lang._(column.title) not in titles:
                    yield f"{name} has a column that is cut: {lang._(column.title)}"
        if isinstance(widget, KeyHints) and not widget.render().plain.strip():
            yield f"{name} names no key"


def _is_whole(app: App[Any], widget: Widget) -> bool:
    geometry = app.screen.find_widget(widget)
    return geometry.visible_region.area == geometry.region.area


def _scrolls(widget: Widget) -> bool:
    """Whether what is not seen of it can be scrolled to."""
    return any(
        isinstance(one, Widget) and one.allow_vertical_scroll and one is not widget.screen
        for one in widget.ancestors_with_self
    )


def _bare(text: str) -> str:
    return re.sub(r"[\s│]+", "", text)


@cache
def _examples() -> str:
    """What the packaged templates say, and their names: data, too."""
    return "\n".join(f"{path.stem}\n{' '.join(path.read_text('utf-8').split())}" for path in every_example())


@cache
def catalogue() -> dict[str, str]:
    """Every English sentence with its Chinese text, the plural forms one by one."""
    with (ROOT / "spotui" / "lang" / "zh_CN.po").open("rb") as file:
        return {
            english: texts[min(number, len(texts) - 1)]
            for entry in read_po(file)
            if entry.id and (texts := _texts(entry.string))
            for number, english in enumerate(_texts(entry.id))
        }


@cache
def _latin_of_the_catalogue() -> frozenset[str]:
    """Words that the Chinese texts keep in Latin letters: names of keys, methods, units and formats."""
    without_slots = (re.sub(r"\{\w*[^}]*\}", " ", text) for text in catalogue().values())
    return frozenset(word for text in without_slots for word in _WORD.findall(text)) - _STOP_WORDS


def _texts(entry: object) -> tuple[str, ...]:
    return tuple(entry) if isinstance(entry, tuple | list) else (str(entry),)
