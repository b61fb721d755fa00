"""Whether what spotui exports for promptfoo is a configuration to promptfoo, and means the same.

python -m benchmarks.promptfoo [FOLDER]

Writes configurations, imports each, exports it again, and compares prompts, variables and asserts. Each
exported file is checked by `npx promptfoo validate`, which needs Node.js and fetches promptfoo unless FOLDER
has it in node_modules.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from spotui.domain.rows import Row
from spotui.runs.task import read_rows
from spotui.templates.exchange.imported import Imported, Notes
from spotui.templates.exchange.outgoing import Outgoing, to_promptfoo
from spotui.templates.exchange.registry import read_source
from spotui.templates.exchange.source import Source
from spotui.templates.exchange.write import Draft, draft, write
from spotui.templates.sections import around, criteria_of, metric_of

CONFIGS = {
    "checks": """\
prompts:
  - "What is the capital of {{country}}?"
  - "Capital of {{ country }}, with {% raw %}{{braces}}{% endraw %}."
providers: [echo]
defaultTest: {assert: [{type: not-icontains, value: sorry}]}
tests:
  - {vars: {country: France}, assert: [{type: icontains, value: paris, weight: 2}]}
  - {vars: {country: Peru}, assert: [{type: contains-any, value: [Lima, LIMA]}, {type: regex, value: "^L"}]}
  - {vars: {country: Chad}, assert: [{type: contains-all, value: ["N'", djamena]}, {type: is-json}]}
  - {vars: {country: Oman}, assert: [{type: starts-with, value: Mus}, {type: contains-json}]}
""",
    "exact": """\
prompts: ["{{text}} in {{language}}:"]
providers: [echo]
tests:
  - {vars: {text: yes, language: [French, German]}, assert: [{type: equals, value: oui}]}
  - {vars: {text: "no", language: Thai}, assert: [{type: equals, value: "{{text}}"}]}
""",
    "judged": """\
prompts:
  - |
    [{"role": "system", "content": "You help at {{shop}}."},
     {"role": "user", "content": "{{first}}"}, {"role": "assistant", "content": "{{reply}}"},
     {"role": "user", "content": "{{question}}"}]
providers: [echo]
defaultTest: {assert: [{type: llm-rubric, value: Is polite}]}
tests:
  - {vars: {shop: A, first: Hi, reply: Hello, question: Late?}, assert: [{type: factuality, value: Two.}]}
  - {vars: {shop: B, first: Hey, reply: Yes?, question: Lost?}, assert: [{type: factuality, value: We look.}]}
  - {vars: {shop: C, first: Ho, reply: No., question: Broken?}, assert: [{type: factuality, value: Send it.}]}
""",
}


def exported(one: Draft) -> str:
    """A template as a configuration, with its own prompt."""
    template = one.template
    found = around(template)
    prompt = template.prompt
    if found:
        messages = [{"role": m.role, "content": m.content.replace("{prompt}", prompt)} for m in found]
    elif template.position == "system":
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": "{question}"}]
    else:
        messages = [{"role": "user", "content": prompt}]
    data = read_rows(template, one.path.parent)
    rows: list[Row] = sorted((*data.train, *data.eval, *data.test), key=lambda row: row.line)
    outgoing = Outgoing(
        project="benchmark",
        round=1,
        prompt=prompt,
        messages=messages,
        rows=rows,
        metric=metric_of(template),
        criteria=criteria_of(template),
    )
    return to_promptfoo(outgoing, Notes())


def meaning(imported: Imported) -> tuple[Any, ...]:
    """What a template says: prompt, messages, metric, criteria, and rows in any order."""
    rows = [json.dumps(row, sort_keys=True, default=str) for rows in imported.rows.values() for row in rows]
    return (imported.prompt, imported.extra, imported.metric, sorted(imported.criteria), sorted(rows))


def main() -> int:
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for kind, text in CONFIGS.items():
            path = root / kind / "promptfooconfig.yaml"
            path.parent.mkdir()
            path.write_text(text)
            source = Source(path)
            chosen, imported = read_source(source)
            target = root / kind / "new.yaml"
            drafts = draft(imported, source.notes, format_name=chosen.name, source=path, target=target)
            write(drafts, path)
            for before, one in zip(imported, drafts, strict=True):
                out = root / kind / f"out-{one.path.stem}.yaml"
                out.write_text(exported(one))
                (after,) = read_source(Source(out))[1]
                same = meaning(before) == meaning(after)
                done = subprocess.run(
                    ["npx", "--yes", "promptfoo", "validate", "config", "--config", str(out)],
                    cwd=folder or root,
                    check=False,
                    capture_output=True,
                    text=True,
                    timeout=600,
                )
                valid = done.returncode == 0
                failed += not (same and valid)
                print(f"{kind:8} {one.path.stem:8} same meaning: {same}   promptfoo validate: {valid}")
                if not valid:
                    print(done.stdout[-2000:], done.stderr[-2000:])
                if not same:
                    print(meaning(before), meaning(after), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
