"""The API server as its administrator sees it, without a client's machinery: this runs beside what is measured."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from benchmarks.operator.control_plane import AuditedApi

Document = dict[str, Any]
_REQUEST = aiohttp.ClientTimeout(total=60)
_WATCH = aiohttp.ClientTimeout(total=None, sock_connect=10)
_LONGEST_EVENT = 2**22


class Client:
    """Use it as a context manager."""

    def __init__(self, api: AuditedApi) -> None:
        self._url = api.url
        context = ssl.create_default_context(cafile=api.ca_file)
        user = json.loads(Path(api.kubeconfig).read_text())["users"][0]["user"]
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._context = context

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._context, limit=64)
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=_LONGEST_EVENT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def create(self, path: str, body: Document) -> Document:
        """Create an object; answers it."""
        return await self._request("POST", path, body, "application/json")

    async def patch(self, path: str, body: Document) -> Document:
        """Merge a patch into an object; answers it."""
        return await self._request("PATCH", path, body, "application/merge-patch+json")

    async def list(self, path: str) -> AsyncIterator[Document]:
        """All objects of a list."""
        token = ""
        while True:
            page = await self._request("GET", f"{path}?limit=500&continue={token}", None, "application/json")
            for item in page["items"]:
                yield item
            token = page["metadata"].get("continue", "")
            if not token:
                return

    async def watch(self, path: str, **parameters: str) -> AsyncIterator[Document]:
        """What is there and what changes. The server ends a watch that it finds too slow: then all is told again."""
        query = {"watch": "true", "resourceVersion": "0", "timeoutSeconds": "86400"} | parameters
        while True:
            async with self._session.get(self._url + path, params=query, timeout=_WATCH) as response:
                response.raise_for_status()
                async for line in response.content:
                    yield json.loads(line)

    async def _request(self, method: str, path: str, body: Document | None, content_type: str) -> Document:
        headers = {"Content-Type": content_type}
        async with self._session.request(
            method, self._url + path, json=body, headers=headers, timeout=_REQUEST
        ) as response:
            text = await response.text()
            if response.status >= 300:
                raise ConnectionError(f"{method} {path}: {response.status} {text}")
            document: Document = json.loads(text)
            return document
