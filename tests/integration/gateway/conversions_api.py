"""The part of the Kubernetes API that the gateway uses, on loopback: real HTTP, and the test says what goes wrong.

It stands in where a test needs faults that a real API server cannot be told to have.
"""

import contextlib
import json
import secrets
import threading
from bisect import bisect_right
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.kubeconfig import token_kubeconfig

Document = dict[str, Any]
TOKEN = "the-service-accounts-token"
CLASSES_PATH = "/apis/video2mp3.dev/v1/conversionclasses"
PATH = "/apis/video2mp3.dev/v1/namespaces/people/conversions"


class Objects(dict[str, Document]):
    """What there is by name; every change gets the next version, and is told to those who watch."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Document] = []
        """The events of a watch; the version after the first is 1."""

        self.changed = threading.Condition()
        self._names: tuple[int, list[str]] = (0, [])

    def __setitem__(self, name: str, document: Document) -> None:
        super().__setitem__(name, self._tell("MODIFIED" if name in self else "ADDED", document))

    def remove(self, name: str) -> Document:
        return self._tell("DELETED", self.pop(name))

    def clear(self) -> None:
        for name in list(self):
            self.remove(name)

    def names(self) -> list[str]:
        """In order. Sorted once for all pages of a list."""
        if self._names[0] != len(self.changes):
            self._names = len(self.changes), sorted(self)
        return self._names[1]

    def after(self, version: int, seconds: float) -> list[Document]:
        """The changes since a version, as soon as there are any."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.changes) > version, seconds)
            return self.changes[version:]

    def _tell(self, kind: str, document: Document) -> Document:
        with self.changed:
            metadata = document["metadata"] | {"resourceVersion": str(len(self.changes) + 1)}
            self.changes.append({"type": kind, "object": document | {"metadata": metadata}})
            self.changed.notify_all()
            return document | {"metadata": metadata}


class ConversionsApi:
    """Conversions in the namespace `people`, and ConversionClasses."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.classes: list[Document] = []
        self.requests: list[tuple[str, str]] = []
        self.failures: list[int | str] = []
        """What becomes of the next requests about one Conversion. 0: nothing bad; a status: just that; "lost": done,
        but never answered; "closed": not even begun; "stalled": never answered."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._done = threading.Event()

    def kubeconfig(self, folder: Path) -> Path:
        """A file that leads here."""
        file = folder / "kubeconfig"
        file.write_text(token_kubeconfig(f"http://127.0.0.1:{self._server.server_port}", TOKEN))
        return file

    def reset(self) -> None:
        """Behave well again, with nothing in it."""
        self.objects.clear()
        self.classes.clear()
        self.requests.clear()
        self.failures.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._server.shutdown()
        self._server.server_close()

    def tell(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a watch until its client or the test goes."""
        version = int(parse_qs(urlsplit(request.path).query)["resourceVersion"][0])
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.close_connection = True
        with contextlib.suppress(OSError):
            while not self._done.is_set():
                for change in self.objects.after(version, 0.1):
                    line = json.dumps(change).encode() + b"\n"
                    request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    version += 1

    def answer(self, method: str, url: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Do what is asked for."""
        parts = urlsplit(url)
        name = parts.path.removeprefix(PATH).lstrip("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if method == "POST":
            return self._create(body)
        if method == "DELETE":
            return self._delete(name, body or {})
        if method == "PATCH":
            return self._annotate(name, body["metadata"])
        if name:
            return (200, self.objects[name]) if name in self.objects else self._status(404, "not found")
        return self._list(query)

    def _create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = body["metadata"]["name"]
        if name in self.objects:
            return self._status(409, "already exists")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = body["metadata"] | {"uid": secrets.token_hex(8), "creationTimestamp": now, "generation": 1}
        self.objects[name] = body | {"metadata": metadata}
        return 201, self.objects[name]

    def _delete(self, name: str, options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name not in self.objects:
            return self._status(404, "not found")
        wanted = options.get("preconditions", {}).get("uid")
        if wanted not in (None, self.objects[name]["metadata"]["uid"]):
            return self._status(409, "the uid is another")
        self.objects.remove(name)
        return self._status(200, "deleted")

    def _annotate(self, name: str, metadata: Document) -> tuple[int, dict[str, Any]]:
        there = self.objects.get(name)
        if there is None or there["metadata"]["uid"] != metadata["uid"]:
            return self._status(409 if there else 404, "there is no such one")
        annotations = there["metadata"].get("annotations", {}) | metadata["annotations"]
        self.objects[name] = there | {"metadata": there["metadata"] | {"annotations": annotations}}
        return 200, self.objects[name]

    def _list(self, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        after, limit = query.get("continue", ""), int(query["limit"])
        with self.objects.changed:
            version, names = len(self.objects.changes), self.objects.names()
            start = bisect_right(names, after)
            page = [self.objects[name] for name in names[start : start + limit]]
        more = {"continue": names[start + limit - 1]} if len(names) > start + limit else {}
        return 200, {"metadata": {"resourceVersion": str(version)} | more, "items": page}

    @staticmethod
    def _status(code: int, message: str) -> tuple[int, dict[str, Any]]:
        return code, {"kind": "Status", "code": code, "message": message, "metadata": {}}

    def handle(self, method: str, url: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        """Do what is asked for, or what was told to go wrong; None hangs up without an answer."""
        if urlsplit(url).path == CLASSES_PATH:
            return 200, {"items": self.classes}
        self.requests.append((method, url))
        collection = method == "GET" and urlsplit(url).path == PATH
        fault = self.failures.pop(0) if self.failures and not collection else 0
        if fault == "stalled":
            self._done.wait(60)
        if fault in ("closed", "stalled"):
            return None
        if fault and isinstance(fault, int):
            return self._status(fault, "told to fail")
        answer = self.answer(method, url, json.loads(body) if body else None)
        return None if fault == "lost" else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                assert self.headers["Authorization"].lower() == f"bearer {TOKEN}"
                if "watch=1" in self.path:
                    api.tell(self)
                    return
                answer = api.handle(self.command, self.path, body)
                if answer is None:
                    self.close_connection = True
                else:
                    self._send(*answer)

            do_GET = do_POST = do_PATCH = do_DELETE = serve  # noqa: N815 - http.server looks for these

            def _send(self, status: int, answer: dict[str, Any]) -> None:
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
