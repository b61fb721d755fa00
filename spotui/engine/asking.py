"""Asking a role, and taking replies as they come."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from spotui.llm.budget import Spending
from spotui.llm.door import Door
from spotui.llm.protocol import Message, Reply, Request
from spotui.settings.roles import Role
from spotui.settings.run_settings import RoleSet
from spotui.workspace.lines import CallKey

Result = TypeVar("Result")


class Asker:
    """Turns what a verb wants to know into requests, with the settings of the role it asks.

    Args:
        door: The way to the models.
        roles: The settings of each role.
        embedding_model: What embeds texts, where something does.
    """

    def __init__(self, door: Door, roles: RoleSet, embedding_model: str = "") -> None:
        self._door = door
        self._roles = roles
        self._embedding_model = embedding_model
        self._spending = Spending()
        self._counted: set[CallKey] = set()

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
        )

    def embedding_request(self, text: str) -> Request:
        """A request for the embedding of a text."""
        return Request(model=self._embedding_model, messages=(user(text),), embed=True)

    def takes_grammar(self, role: Role) -> bool:
        """Whether the role's model can be bound by a grammar."""
        return self._door.connections.to(self._roles.of(role).model).takes_grammar

    def at_once(self, roles: Sequence[Role]) -> int:
        """How many calls of these roles may be in flight together; people change it while a run goes on."""
        limiters = {self._door.connections.to(self._roles.of(role).model).limiter for role in roles}
        return sum(limiter.concurrency for limiter in limiters)

    def recorded(self, key: CallKey, request: Request) -> Reply | None:
        """The reply that the journal holds for this call, or None; asks nobody."""
        return self._door.recorded(key, request)

    async def ask(
        self, key: CallKey, request: Request, *, may_be_refused: bool = False, advice: str = ""
    ) -> Reply:
        """The reply, bought once and counted once.

        Raises:
            Halted: The run ends here.
            RequestRefusedError: The endpoint refuses this request, and may; see `Door.ask`.
        """
        reply = await self._door.ask(key, request, may_be_refused=may_be_refused, advice=advice)
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


def user(text: str) -> Message:
    """A message from the user's side."""
    return Message("user", text)


def repair(messages: Sequence[Message], reply: Reply, text: str) -> list[Message]:
    """The conversation that asks again: what was asked, what came, what is wrong with it."""
    return [*messages, Message("assistant", reply.text or "(nothing)"), user(text)]


async def together(jobs: Sequence[Awaitable[Result]]) -> list[Result]:
    """The results of independent jobs, run at once; the first error ends the others and is raised."""
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
