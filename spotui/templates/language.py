"""The language that a template is written in, which its meta-prompts are taken in."""

import re
from typing import Final

from spotui.templates.model import Template
from spotui.templates.sections import requirements_of

CHINESE: Final = "zh"

_HAN: Final = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_KANA: Final = r"[\u3040-\u30ff\uff66-\uff9d]"


def language_of(template: Template) -> str:
    """The language of a template: `zh` where most of its letters are Chinese, empty otherwise.

    Its prompt, its requirements or criteria, and its questions count; where any of them has Japanese kana,
    the characters are not taken for Chinese.
    """
    text = "\n".join((template.prompt, requirements_of(template), *(one.question for one in template.qa)))
    if text.isascii():
        return ""
    han = len(re.findall(_HAN, text))
    if not han or re.search(_KANA, text):
        return ""
    # A Chinese character says about as much as a word, and Latin names stand in Chinese texts as well.
    return CHINESE if han > len(re.findall(r"[^\W\d_]+", re.sub(_HAN, " ", text))) else ""
