"""How long the texts of a template are."""

from collections.abc import Mapping

from spotui.dataset.source import read_source
from spotui.template.model import Template
from spotui.view.figures import count, plural
from spotui.words import count_words, estimate_tokens


class Sizes:
    """Words and tokens of texts; tokens that nobody counted are estimated, and marked with a tilde.

    Args:
        counted: The tokens of texts for which a tokenizer was asked.
    """

    def __init__(self, counted: Mapping[str, int] | None = None) -> None:
        self._counted = dict(counted or {})

    def tokens(self, text: str) -> str:
        """The tokens of a text, such as `12 tokens` or `~12 tokens`."""
        known = self._counted.get(text)
        return plural(known, "token") if known is not None else f"~{plural(estimate_tokens(text), 'token')}"

    def say(self, text: str, most: int | None = None) -> str:
        """The size of a text; nothing for an empty one.

        Args:
            text: Any text.
            most: The most words it may have, if there is such a limit.
        """
        if not text:
            return ""
        words = count_words(text)
        said = f"{words} of {plural(most, 'word')}" if most else plural(words, "word")
        return f"{said}, {self.tokens(text)}"

    def of_template(self, template: Template) -> str:
        """The size of a whole template: its prompt, and its questions; of files, only which they are."""
        texts = [template.prompt, template.requirements]
        texts += [text for row in template.qa for text in (row.question, row.answer)]
        counted = [self._counted.get(text) for text in texts if text]
        known = [one for one in counted if one is not None]
        total = sum(self._counted.get(text, estimate_tokens(text)) for text in texts if text)
        mark = "" if len(known) == len(counted) else "~"
        return f"{_material(template)}, {mark}{count(total)} tokens"


def _material(template: Template) -> str:
    parts = [plural(len(template.qa), "question")] if template.qa or template.data is None else []
    if template.data is not None:
        source, _ = read_source(template.data, has_questions=bool(template.qa))
        parts.append("rows of " + ", ".join(source.paths or ("a file",)))
    return ", ".join(parts)
