"""How much texts are alike, by a model that turns a text into a vector."""

from collections import Counter
from collections.abc import Callable, Sequence

from spotui.engine.asking import Asker, together
from spotui.events import Event, Noticed
from spotui.llm import vectors
from spotui.llm.errors import RequestRefusedError
from spotui.workspace.lines import CallKey


class Embedder:
    """Asks for the embedding of a text once, whenever that is needed.

    Args:
        asker: The way to the embedding model.
        emit: Told what cannot be embedded.
    """

    def __init__(self, asker: Asker, emit: Callable[[Event], None]) -> None:
        self._asker = asker
        self._emit = emit
        self._known: dict[str, Sequence[float]] = {}
        self._asked: Counter[int] = Counter()

    async def similarities(self, number: int, query: str, texts: Sequence[str]) -> list[float]:
        """How much each text is like another: the cosine of their embeddings, 1 for the same direction.

        Args:
            number: The round that asks.
            query: The other one.
            texts: Those that are compared with it; without any nothing is asked.

        Raises:
            Halted: The run ends here.
        """
        if not (texts and query.strip()):
            return [0.0] * len(texts)
        new = [text for text in dict.fromkeys([query, *texts]) if text not in self._known]
        first = self._asked[number]
        self._asked[number] += len(new)
        found = await together([self._embed(number, first + index, text) for index, text in enumerate(new)])
        self._known.update(zip(new, found, strict=True))
        return [vectors.cosine(self._known[query], self._known[text]) for text in texts]

    async def _embed(self, number: int, index: int, text: str) -> Sequence[float]:
        key = CallKey(number, "embed", index)
        try:
            reply = await self._asker.ask(key, self._asker.embedding_request(text), may_be_refused=True)
        except RequestRefusedError as error:
            what = f"Round {number}: {error.what} A prompt is compared with no other for that."
            self._emit(Noticed(text=what, level="warning"))
            return ()
        return vectors.unpack(reply.vector)
