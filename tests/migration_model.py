"""An old model, a weaker and a stronger one: answers depend on the model and on the prompt's style."""

import re
from hashlib import sha256

from tests import row_model, spo_model
from tests.model_server import JsonObject, Scripted, conversation

STYLES = {"old": 2, "weak": 0, "strong": 5}
"""How far the answers of a model are without any help of the prompt."""

_STYLE = re.compile(r"style (\d+)")
_SUM = re.compile(r"What is (\d+) plus (\d+)\?")


class Fleet:
    """The three models on one server; the judge prefers the higher style.

    Attributes:
        gone: Models that are not there any more.
    """

    def __init__(self) -> None:
        self.gone: set[str] = set()

    def __call__(self, request: JsonObject) -> str | Scripted:
        model = str(request.get("model"))
        if model in self.gone:
            body = f'{{"error": {{"message": "The model `{model}` has been retired."}}}}'.encode()
            return Scripted(status=404, body=body)
        return migrating(request)


def migrating(request: JsonObject) -> str | Scripted:
    """A part in SPO and in scored methods; the judge prefers the higher style."""
    text, model = conversation(request), str(request.get("model"))
    if "<best_prompt>" in text:
        return spo_model.propose(request)
    if "<answers_of_A>" in text:
        return spo_model.prefer_higher_style(request)
    if row_model.kind_of(request) != "execute":
        return row_model.adding(request)
    style = STYLES.get(model, 0) + max(map(int, _STYLE.findall(text)), default=0)
    if not (sums := _SUM.findall(text)):
        return f"In style {style}: {sha256(text.encode()).hexdigest()}"
    one, other = map(int, sums[-1])
    is_hard = sha256(f"{one}+{other}".encode()).digest()[0] / 256
    return f"The answer is {one + other + (is_hard > 0.3 + 0.1 * style)}."
