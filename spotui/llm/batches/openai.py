"""Batches of OpenAI's API: a file of requests goes up, a batch works on it, and files of results follow."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from spotui.llm.batches.api import ForgottenBatchError, Payload, Progress, Submitted, share_at
from spotui.llm.batches.chat import LABEL, PAGE, ChatBatches
from spotui.llm.batches.lines import NotFoundError, json_lines, json_of
from spotui.llm.options import Options
from spotui.llm.providers.http import HttpPool
from spotui.llm.routing import Endpoint


class OpenAIBatches(ChatBatches):
    """Batches of a model behind a base URL that has OpenAI's files and batches.

    Args:
        endpoint: Where the model is.
        api_model: The model id on the wire.

    Attributes:
        share: See `BatchApi.share`.

    Raises:
        BadRequestError: The base URL is missing or is no http address.
        AuthenticationError: The key holds characters that no header can carry.
    """

    def __init__(self, endpoint: Endpoint, api_model: str) -> None:
        self.share = share_at(endpoint.base_url or "")
        self._pool = HttpPool(endpoint)
        super().__init__(self._pool.target, api_model, has_no_price=endpoint.price is None)

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Upload the requests and begin a batch of them; see `BatchApi.submit`."""
        boundary = uuid4().hex
        form = _form(boundary, f"spotui-{token}.jsonl", lines)
        kind = f"multipart/form-data; boundary={boundary}"
        file = await json_of(self._pool, "POST", "/files", form, content_type=kind)
        wanted = {
            "input_file_id": file.get("id"),
            "endpoint": self.path,
            "completion_window": "24h",
            "metadata": {LABEL: token},
        }
        return self.submitted(await json_of(self._pool, "POST", "/batches", msgspec.json.encode(wanted)))

    async def page(self, after: str) -> tuple[list[dict[str, Any]], bool]:
        """A page of the list of batches; see `ChatBatches.page`."""
        query = {"limit": str(PAGE)} | ({"after": after} if after else {})
        page = await json_of(self._pool, "GET", "/batches", None, Options(query=query))
        return [one for one in page.get("data") or () if isinstance(one, dict)], bool(page.get("has_more"))

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        try:
            found = await json_of(self._pool, "GET", f"/batches/{batch}")
        except NotFoundError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        return self.progress(found)

    async def results(
        self,
        batch: str,  # noqa: ARG002 - its files have names
        progress: Progress,
    ) -> AsyncIterator[tuple[str, Payload]]:
        """The results, those that failed at last; see `BatchApi.results`."""
        for file in progress.files:
            async for line in json_lines(self._pool, f"/files/{file}/content"):
                yield str(line.get("custom_id")), line

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()


def _form(boundary: str, name: str, lines: Sequence[bytes]) -> bytes:
    """The form of an upload."""
    purpose = f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return b"".join((purpose.encode(), head.encode(), *lines, f"\r\n--{boundary}--\r\n".encode()))
