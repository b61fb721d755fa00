"""Batches of Azure's deployments over litellm, which knows their addresses, versions and keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from spotui.lang import _
from spotui.llm.batches.api import HALF, ForgottenBatchError, Payload, Progress, Submitted
from spotui.llm.batches.chat import LABEL, PAGE, ChatBatches
from spotui.llm.batches.lines import NotFoundError, nothing_there
from spotui.llm.protocol import ModelError, TimedOutError
from spotui.llm.providers import litellm_module
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.litellm_module import model_error, read_error
from spotui.llm.providers.litellm_provider import secrets_of
from spotui.llm.routing import Endpoint

PREFIX: Final = "azure/"

_SECONDS: Final = 600.0
"""Seconds that an upload or a download may take."""

Result = TypeVar("Result")


class AzureBatches(ChatBatches):
    """Batches of a deployment of Azure's.

    Args:
        endpoint: The model, with its key where it is not litellm's to find.
    """

    share = HALF
    path = "/chat/completions"

    def __init__(self, endpoint: Endpoint) -> None:
        place = Target(endpoint.model, "Azure", [*secrets_of(endpoint.api_key)], has_key=True)
        super().__init__(place, endpoint.model.removeprefix(PREFIX), has_no_price=endpoint.price is None)
        self._endpoint = endpoint

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Upload the requests and begin a batch of them; see `BatchApi.submit`."""
        litellm = await self._litellm()
        content = (f"spotui-{token}.jsonl", b"".join(lines), "application/jsonl")
        file = await self._step(litellm.acreate_file(file=content, purpose="batch", **self._access))
        batch = await self._step(
            litellm.acreate_batch(
                completion_window="24h",
                endpoint=self.path,
                input_file_id=file.id,
                metadata={LABEL: token},
                **self._access,
            )
        )
        return self.submitted(batch.model_dump())

    async def page(self, after: str) -> tuple[list[dict[str, Any]], bool]:
        """A page of the list of batches; see `ChatBatches.page`."""
        litellm = await self._litellm()
        page = await self._step(litellm.alist_batches(after=after or None, limit=PAGE, **self._access))
        return [one.model_dump() for one in page.data], getattr(page, "has_more", False)

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        litellm = await self._litellm()
        try:
            found = await self._step(litellm.aretrieve_batch(batch_id=batch, **self._access))
        except NotFoundError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        return self.progress(found.model_dump())

    async def results(
        self,
        batch: str,  # noqa: ARG002 - its files have names
        progress: Progress,
    ) -> AsyncIterator[tuple[str, Payload]]:
        """The results, those that failed at last; see `BatchApi.results`."""
        litellm = await self._litellm()
        for file in progress.files:
            found = await self._step(litellm.afile_content(file_id=file, **self._access))
            for line in found.content.splitlines():
                payload = msgspec.json.decode(line, type=dict[str, Any])
                yield str(payload.get("custom_id")), payload

    async def aclose(self) -> None:
        """Close litellm's connections, unless another provider still uses them; safe to call twice."""
        await litellm_module.leave(self)

    @property
    def _access(self) -> dict[str, Any]:
        """What every call of litellm is given."""
        key = self._endpoint.api_key
        return {
            "custom_llm_provider": "azure",
            "timeout": _SECONDS,
            "max_retries": 0,
            **({"api_key": key.reveal()} if key else {}),
        }

    async def _litellm(self) -> Any:
        return await litellm_module.join(self, self._endpoint.model)

    async def _step(self, awaitable: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(_SECONDS) as limit:
                return await awaitable
        except Exception as error:  # noqa: BLE001 - litellm raises anything, bare Exception included
            raise self._explained(error, is_late=limit.expired()) from None

    def _explained(self, error: Exception, *, is_late: bool) -> ModelError:
        if is_late:
            return TimedOutError(
                _("{place} sent nothing for {silence:g} seconds.", place=self.target, silence=_SECONDS),
                _("Check that it is up, or raise the timeout of this model."),
            )
        fault = read_error(error)
        if fault.status == 404:
            return nothing_there(self.target, fault)
        return model_error(error, fault, self.target, _SECONDS, lambda: False)
