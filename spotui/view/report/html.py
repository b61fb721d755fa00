"""A report as one HTML file: without network and script, for screen and paper, dark and light."""

from collections.abc import Sequence
from html import escape
from typing import Final

from spotui.domain.text import visible
from spotui.lang import _
from spotui.view.report.document import (
    Block,
    Chart,
    Difference,
    Figures,
    Paragraph,
    Part,
    Report,
    Section,
    Table,
)
from spotui.view.report.svg import draw

DATA_ID: Final = "spotui-receipt"
"""The element that holds the receipt."""

MARK: Final = '<meta name="generator" content="spotui">'
"""Tells a report of spotui from other files."""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded and nothing is run, whatever a prompt in the report says."""

_STYLE: Final = """
:root{color-scheme:light dark;--page:#fff;--ink:#1d2330;--faint:#667085;--edge:#d5dae3;--soft:#f4f6f9;
--win:#13703f;--loss:#b42318;--best:#1f5fd0;--win-soft:#dcf5e6;--loss-soft:#fde4e1}
@media (prefers-color-scheme:dark){:root{--page:#12151c;--ink:#e4e8f0;--faint:#98a2b3;--edge:#353c4b;
--soft:#1b202b;--win:#5fd39a;--loss:#ff8f85;--best:#7fb0ff;--win-soft:#12382a;--loss-soft:#4a1d1d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2rem 1.25rem 4rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--edge)}
h3{font-size:1rem;margin:1.4rem 0 .4rem}p{margin:.5rem 0;white-space:pre-line}
.faint{color:var(--faint)}.headline{font-size:1.1rem;font-weight:600}
table{border-collapse:collapse;width:100%;margin:.5rem 0;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--edge);
overflow-wrap:anywhere;white-space:pre-line}
thead th{color:var(--faint);font-weight:500;white-space:nowrap;overflow-wrap:normal}
.n{text-align:right;white-space:nowrap;width:1%;font-variant-numeric:tabular-nums;overflow-wrap:normal}
tr.win td:first-child{color:var(--win)}tr.loss td:first-child{color:var(--loss)}
tr.best td{font-weight:600}tr.faint td{color:var(--faint)}
table.figures th{width:18rem;font-weight:400;color:var(--faint)}
pre{background:var(--soft);border:1px solid var(--edge);border-radius:4px;padding:.7rem .9rem;margin:.4rem 0;
white-space:pre-wrap;overflow-wrap:anywhere;max-height:28rem;overflow:auto;
font:13px/1.45 ui-monospace,monospace}
ins{background:var(--win-soft);color:var(--win)}del{background:var(--loss-soft);color:var(--loss)}
figure{margin:.6rem 0}figcaption{color:var(--faint);font-size:.9rem}
svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:var(--faint)}
.grid{stroke:var(--edge);fill:none}.line{stroke:var(--loss);stroke-dasharray:5 4;fill:none}
.way{fill:none;stroke:var(--faint);stroke-width:1}.range{stroke:var(--ink);stroke-width:1.2;fill:none}
.dot{fill:var(--faint)}.dot.win{fill:var(--win)}.dot.best{fill:var(--best)}.dot.loss{fill:var(--loss)}
.bar{fill:var(--edge)}.bar.best{fill:var(--best)}.bar.win{fill:var(--win)}
@media print{:root{color-scheme:light;--page:#fff;--ink:#000;--faint:#444;--edge:#bbb;--soft:#fff;--win:#064;
--loss:#900;--best:#036;--win-soft:#fff;--loss-soft:#fff}body{max-width:none;padding:0;font-size:10pt}
pre{max-height:none;overflow:visible;font-size:8.5pt}h2,h3{break-after:avoid}tr,svg{break-inside:avoid}
ins{text-decoration:underline}}
"""


def as_html(report: Report) -> str:
    """The report as an HTML page; every text in it is escaped, and hidden characters are shown."""
    body = "\n".join(filter(None, map(_part, report.parts)))
    # The data are no script. A `<` is written as JSON escapes it, so that no text in it can end the element.
    data = report.data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    kept = f'\n<script type="application/json" id="{DATA_ID}">{data}</script>' if data else ""
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"{MARK}\n<title>{_text(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{_text(report.title)}</h1>\n<p class="faint">{_text(report.subtitle)}</p>\n'
        f"{body}{kept}\n</body>\n</html>\n"
    )


def _part(part: Part) -> str:
    match part:
        case Section(title, level):
            return f"<h{level}>{_text(title)}</h{level}>"
        case Paragraph(text, is_headline):
            kind = ' class="headline"' if is_headline else ""
            return f"<p{kind}>{_text(text)}</p>"
        case Figures(figures):
            rows = "".join(
                f'<tr><th scope="row">{_text(one.label)}</th>'
                f'<td data-figure="{escape(one.name)}">{_text(one.text)}</td></tr>'
                for one in figures
            )
            return f'<table class="figures"><tbody>{rows}</tbody></table>'
        case Table():
            return _table(part)
        case Block(text, title, is_prompt):
            mark = ' data-figure="prompt"' if is_prompt else ""
            heading = f'<p class="faint">{_text(title)}</p>\n' if title else ""
            return f"{heading}<pre{mark}>\n{_text(text)}</pre>"
        case Difference(pieces):
            tags = {"added": "ins", "removed": "del"}
            return "<pre>\n{}</pre>".format(
                "".join(
                    f"<{tag}>{_text(piece.text)}</{tag}>"
                    if (tag := tags.get(piece.change)) and piece.text.strip()
                    else _text(piece.text)
                    for piece in pieces
                )
            )
        case Chart():
            drawn = draw(part)
            return drawn and f"<figure>{drawn}<figcaption>{_text(part.title)}</figcaption></figure>"


def _table(table: Table) -> str:
    if not table.rows:
        return f'<p class="faint">{_text(_("None."))}</p>'
    head = "".join(
        f"<th{_number(table, column)}>{_text(name)}</th>" for column, name in enumerate(table.head)
    )
    rows = []
    for index, cells in enumerate(table.rows):
        tone = table.tones[index] if index < len(table.tones) else ""
        kind = f' class="{tone}"' if tone else ""
        rows.append(f"<tr{kind}>{_cells(table, cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cells(table: Table, cells: Sequence[str]) -> str:
    return "".join(f"<td{_number(table, column)}>{_text(text)}</td>" for column, text in enumerate(cells))


def _number(table: Table, column: int) -> str:
    return ' class="n"' if column in table.numbers else ""


def _text(text: str) -> str:
    return escape(visible(text))
