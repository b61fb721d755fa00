"""Asks a role, and takes replies as they come."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from msgspec import json, structs

from spotui.domain.calls import Reply, Request
from spotui.domain.events import Event, Noticed
from spotui.domain.messages import Message, user
from spotui.domain.program_prompts import split_prompts
from spotui.domain.records import CallKey
from spotui.domain.rows import Row
from spotui.domain.tags import read_form, read_form_exactly, without_marks
from spotui.engine.task import EDITION
from spotui.engine.wording import in_words
from spotui.llm import protocol as vectors
from spotui.llm.door import Door
from spotui.llm.options import options_of
from spotui.llm.protocol import RequestRefusedError
from spotui.llm.spending import Spending
from spotui.settings.table import ROLES, Role, RoleSet, is_program

Result = TypeVar("Result")

AGAIN_TEMPERATURE: Final = 0.7
"""The lowest temperature at which a request is repeated."""


_FEWEST_AT_ONCE: Final = 4


class Asker:
    """Turns what a verb wants to know into requests, with the settings of the role it asks.

    Args:
        door: The way to the models.
        roles: The settings of each role.
        embedding_model: What embeds texts, where something does.
        edition: The edition that a run keeps to.
        language: The language of what is said of a reply; empty for English.
        tools: The tools that the executor may call, as `Request` has them.
        response_format: The form of the executor's answers, as `Request` has it.
        several: Whether a prompt is several prompts of a program, as `join_prompts` writes them.
        batched: The roles whose calls are sent as batches.
    """

    def __init__(
        self,
        door: Door,
        roles: RoleSet,
        embedding_model: str = "",
        *,
        edition: int = EDITION,
        language: str = "",
        tools: str = "",
        response_format: str = "",
        several: bool = False,
        batched: Collection[Role] = (),
    ) -> None:
        self._batched = batched
        self._door = door
        self._roles = roles
        self._edition = edition
        self.language = language
        self._tools = tools
        self._response_format = response_format
        self._several = several
        self._options = {role: options_of(roles.of(role)) for role in ROLES}
        self._embedding_model = embedding_model
        self._spending = Spending()
        self._counted: set[CallKey] = set()

    @property
    def made(self) -> int:
        """Calls that brought a reply so far, those that the journal held included."""
        return len(self._counted)

    @property
    def is_timed(self) -> bool:
        """Whether the seconds of an answer say how long a user would wait: those of a batch do not."""
        return "executor" not in self._batched

    @property
    def worked(self) -> float:
        """Seconds the run was worked on, pauses left out."""
        return self._door.budget.seconds

    def request(
        self,
        role: Role,
        messages: Sequence[Message],
        *,
        model: str | None = None,
        temperature: float | None = None,
        grammar: str | None = None,
        logprobs: bool = False,
        json: bool = False,
        given: str = "",
    ) -> Request:
        """A request in the role's own settings, unless another model or temperature is given."""
        settings = self._roles.of(role)
        return Request(
            model=model or settings.model,
            messages=tuple(messages),
            temperature=settings.temperature if temperature is None else temperature,
            max_tokens=settings.max_tokens,
            grammar=grammar,
            logprobs=logprobs,
            json=json,
            tools=self._tools if role == "executor" else "",
            response_format=self._response_format if role == "executor" else "",
            options=self._options[role],
            given=given,
        )

    def given(self, prompt: str, row: Row, after: Sequence[Message] = ()) -> str:
        """Prompt and row apart, as JSON, where the executor is a program; empty for a model."""
        if not is_program(self._roles.executor.model):
            return ""
        return given_apart(prompt, row, after, several=self._several)

    def again(self, request: Request, reply: Reply, fault: str) -> Request:
        """The request that asks once more, and names the fault of the reply.

        The reply is not shown: small models copy it. A request at temperature 0 would bring the same text
        again, so the second one is warmer.

        Args:
            request: What was asked.
            reply: What came.
            fault: What to say about it.
        """
        if self._edition < 4:
            shown = (Message("assistant", reply.text or "(nothing)"), user(fault))
            return structs.replace(request, messages=(*request.messages, *shown))
        *before, last = request.messages
        warmth = request.temperature
        return structs.replace(
            request,
            messages=(*before, user(f"{last.content}\n\n{fault}")),
            temperature=None if warmth is None else max(warmth, AGAIN_TEMPERATURE),
        )

    def in_words(self, problem: str) -> str:
        """What is wrong with a reply as the model reads it, in the language of the template."""
        return in_words(self.language, problem)

    def read(self, reply: Reply, *names: str, asked: str = "") -> dict[str, str]:
        """The parts of a reply that was asked for in a form, by name; see `read_form`."""
        if self._edition < 4:
            return read_form_exactly(reply.text, *names)
        return read_form(reply.text, *names, asked=asked, is_whole=reply.finish_reason == "stop")

    def read_part(self, reply: Reply, name: str) -> str:
        """The one part that was asked for, or the whole reply; empty where it only repeats the form.

        Args:
            reply: What came.
            name: The part's name; empty where the request has no form.
        """
        text = reply.text.strip()
        if self._edition < 4 or not name:
            return text
        # A text that was cut serves as far as it goes.
        return read_form(text, name).get(name, text if without_marks(text) else "")

    def embedding_request(self, text: str) -> Request:
        """A request for the embedding of a text."""
        return Request(model=self._embedding_model, messages=(user(text),), embed=True)

    def takes_grammar(self, role: Role) -> bool:
        """Whether the role's model can be bound by a grammar."""
        return self._door.connections.to(self._roles.of(role).model).takes_grammar

    def at_once(self, roles: Sequence[Role]) -> int:
        """How many calls of these roles are worked on together; people change it while a run goes on.

        With a program, some wait even where one may be in flight: what fails is compared with them.
        """
        models = {self._roles.of(role).model for role in roles}
        limiters = {self._door.connections.to(model).limiter for model in models}
        at_once = sum(limiter.concurrency for limiter in limiters)
        batched = {self._roles.of(role).model for role in roles if role in self._batched}
        at_once += sum(self._door.gathers(model) for model in batched)
        return max(at_once, _FEWEST_AT_ONCE) if any(map(is_program, models)) else at_once

    def holds(self, keys: Iterable[CallKey]) -> bool:
        """Whether the journal has a reply to a call of each of these keys, whatever it asked."""
        return all(map(self._door.holds, keys))

    def recorded(self, key: CallKey, request: Request) -> Reply | None:
        """The reply that the journal holds for this call, or None; asks nobody."""
        return self._door.recorded(key, request)

    async def ask(
        self,
        key: CallKey,
        request: Request,
        role: Role | None = None,
        *,
        may_be_refused: bool = False,
        advice: str = "",
    ) -> Reply:
        """The reply, bought once and counted once.

        Args:
            key: What asks.
            request: What is asked.
            role: Who is asked; a call of none is always sent live.
            may_be_refused: See `Door.ask`.
            advice: See `Door.ask`.

        Raises:
            Halted: The run ends here.
            RequestRefusedError: The endpoint refuses this request, and may; see `Door.ask`.
        """
        reply = await self._door.ask(
            key,
            request,
            may_be_refused=may_be_refused,
            advice=advice,
            is_batched=role in self._batched,
            ends_loops=role in {"optimizer", "evaluator"},
        )
        if key not in self._counted:
            self._counted.add(key)
            usage = reply.usage
            self._spending.add(
                usage.prompt_tokens, usage.completion_tokens, reply.cost_usd, estimated=usage.estimated
            )
        return reply

    def take_spending(self) -> Spending:
        """What the calls took since this was last asked, recorded ones included."""
        spending, self._spending = self._spending, Spending()
        return spending


def given_apart(prompt: str, row: Row, after: Sequence[Message] = (), *, several: bool = False) -> str:
    """Prompt and row as a program is given them: the prompt as it is tuned, without the reference answers.

    Args:
        prompt: The prompt.
        row: The row; the messages of a conversation are given beside its question.
        after: What was said since the row's question.
        several: Whether the prompt is several prompts, which are given by name, too.
    """
    said = [*row.history, *([user(row.question), *after] if row.history or after else ())]
    question = said[-1].content if said else row.question
    given = {"prompt": prompt, "question": question, "row": row.slots}
    if several:
        given["prompts"] = split_prompts(prompt)
    return _encoder.encode(given | ({"messages": said} if said else {})).decode()


_encoder: Final = json.Encoder(order="sorted")


async def together(jobs: Iterable[Awaitable[Result]], *, in_turn: bool = False) -> list[Result]:
    """The results of independent jobs, run at once; the first error ends the others and is raised.

    Args:
        jobs: The jobs.
        in_turn: Run one after the other: what is only looked up waits for nothing, and needs no task.
    """
    if in_turn:
        return [await job for job in jobs]
    tasks: list[asyncio.Task[Result]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(job)) for job in jobs]
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None
    return [task.result() for task in tasks]


async def _awaited(job: Awaitable[Result]) -> Result:
    return await job


def first_error(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error itself, however deep the group."""
    first = errors.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first


Job = TypeVar("Job")


async def each(jobs: Iterable[Job], do: Callable[[Job], Awaitable[None]], at_once: Callable[[], int]) -> None:
    """Do every job; the first error ends the others and is raised.

    One that is done starts the next job itself, without a turn of the event loop between a reply and
    the next request. A task for every job would take such a turn, and with it those of all that wait.

    Args:
        jobs: In the order in which they begin; each is made when it begins.
        do: Does one.
        at_once: How many may be worked on together; asked again at every job, as it may rise meanwhile.
    """
    left = iter(jobs)
    try:
        async with asyncio.TaskGroup() as group:
            _Workers(group, left, do, at_once).hire()
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None


class _Workers(Generic[Job]):
    def __init__(
        self,
        group: asyncio.TaskGroup,
        left: Iterator[Job],
        do: Callable[[Job], Awaitable[None]],
        at_once: Callable[[], int],
    ) -> None:
        self._group = group
        self._left = left
        self._do = do
        self._at_once = at_once
        self._size = 0

    def hire(self) -> None:
        """Start enough workers."""
        while self._size < self._at_once():
            for job in self._left:
                self._size += 1
                self._group.create_task(self._work(job))
                break
            else:
                return

    async def _work(self, job: Job) -> None:
        await self._do(job)
        for following in self._left:
            self.hire()
            await self._do(following)


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
