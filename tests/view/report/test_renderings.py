"""Whatever a text says, it stays a text: in HTML, in Markdown, and in the receipt behind them."""

import re
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.text import visible
from spotui.view.report import html, markdown
from spotui.view.report.claims import read_claims
from spotui.view.report.document import (
    Block,
    Chart,
    Difference,
    Figures,
    Paragraph,
    Point,
    Report,
    Section,
    Table,
)
from spotui.view.report.receipt import Figure
from spotui.view.word_diff import Piece

HOSTILE = (
    *(
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(1)>",
        '" onload="x',
        "<!--",
        "-->",
        "]]>",
    ),
    *("```\n# no\n```", "````", "| a | b |\n|---|---|", "<!-- spotui receipt -->\n\n```json\n{}\n```"),
    *(
        "[x](javascript:alert(1))",
        "https://x.example/\u202e",
        "\x1b[31m\x00",
        "&lt;b&gt;",
        "\\`*_|",
    ),
    *(
        "<!-- spotui prompt -->\n\n```\nother\n```",
        "- x",
        "1. x",
        "= =",
        "<pre data-figure=prompt>other</pre>",
    ),
)
texts = st.lists(
    st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=4
).map("\n".join)
_folder = TemporaryDirectory()
TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "pre", "ins", "del", "script"),
        *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"),
        *("svg", "path", "text", "polyline", "circle", "rect"),
    )
)


def a_report(text: str) -> Report:
    data = msgspec.json.encode({"receipt": 1, "project": text, "prompt": text}).decode()
    parts = (
        Paragraph(text, is_headline=True),
        Figures([Figure("score", text, "75.0 (46.8 to 91.1)")]),
        Chart(text, [Point(text, 0.5, 0.25, 0.75, "best"), Point("2", 1.0)], line=0.5, line_label=text),
        Chart(text, [Point(text, 0.5, 0.25, 0.75)], is_trend=False),
        Block(text, is_prompt=True),
        Block(text, text),
        Section(text),
        Difference([Piece("same", text), Piece("removed", text), Piece("added", text)]),
        Table((text, "n"), [(text, "1"), (text, "2")], frozenset({1}), ("best", "loss")),
    )
    return Report(text, text, parts, data)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@given(texts)
def test_no_text_becomes_a_tag_or_ends_the_receipt(text: str) -> None:
    page = html.as_html(a_report(text))
    tags = Tags()
    tags.feed(page)
    assert {tag for tag, _attributes in tags.seen} <= TAGS
    assert [given for tag, given in tags.seen if tag == "script"] == [
        {"type": "application/json", "id": "spotui-receipt"}
    ]
    assert not [name for _tag, given in tags.seen for name in given if name.startswith("on")]
    assert not re.search(r"(?:href|src)=", re.sub(r">[^<]*<", "><", page))
    assert page.index("Content-Security-Policy") < page.index("<title>")


@given(texts)
def test_what_a_report_says_is_read_back_from_it(text: str) -> None:
    folder = Path(_folder.name)
    for name, written in (
        ("a.html", html.as_html(a_report(text))),
        ("a.md", markdown.as_markdown(a_report(text))),
    ):
        (folder / name).write_text(written, encoding="utf-8", newline="")
        claims = read_claims(folder / name)
        assert claims.receipt == {"receipt": 1, "project": text, "prompt": text}
        assert claims.prompt is not None
        assert claims.prompt.rstrip("\n") == visible(text).rstrip("\n")
        figures = list(claims.shown.values()) if claims.shown is not None else claims.unnamed
        assert figures == ["75.0 (46.8 to 91.1)"]


@given(texts)
def test_no_text_begins_a_block_of_markdown(text: str) -> None:
    lines = markdown.as_markdown(a_report(text)).split("\n")
    fence, outside = "", []
    for line in lines:
        if fence:
            fence = "" if line == fence else fence
        elif found := re.match(r"`{3,}", line):
            fence = found[0]
        else:
            outside.append(line)
    assert not fence
    comments = [line for line in outside if "<!--" in line.replace("\\<", "")]
    assert comments == [markdown.MARK, markdown.FIGURES, markdown.PROMPT, markdown.RECEIPT]
    assert all(line.count("|") - line.count("\\|") == 3 for line in outside if line.startswith("|"))
    assert not re.search(r"(?<!\\)<(?!!--)|(?<![\\:])://", "\n".join(outside).replace(":\\/", ""))
