"""⑥ Sources on the web: the worker as a process, in an internet of the test's own with real names, TLS and HTTP."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.worker.installation import Finished, Installation, RunningWorker
from tests.integration.worker.internet import Internet
from tests.integration.worker.samples import Samples
from tests.servers import MongoDBServer, RabbitMQServer
from tests.web_server import Authority, Page, Request, StoredFile, WebServer, redirect
from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import BrokenOffError
from video2mp3_worker.source.download import Download
from video2mp3_worker.source.http_client import HttpWeb
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

MEDIA = "93.184.216.34"
"""Where media.example is, by http and by https; cdn.example is there too."""

OTHER = "2606:2800:220:1::1"
"""Where six.example is, by http."""

OLD = "93.184.216.36"
"""Where old.example is, by https with a certificate that is over."""

NOBODY = "93.184.216.35"
"""Where no server listens."""

INSIDE = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fd00:ec2::254")
"""Addresses that are nobody's business. Servers listen there, and nobody must come."""


@dataclass
class Web:
    """The servers, what lies on them, and the names that lead there."""

    internet: Internet
    authority: Authority
    plain: WebServer
    secure: WebServer
    other: WebServer
    hidden: list[WebServer]
    pages: dict[str, Page] = field(default_factory=dict)

    def reset(self) -> None:
        """As at the beginning."""
        self.pages.clear()
        self.internet.names = {
            "media.example": [[MEDIA]],
            "cdn.example": [[MEDIA]],
            "six.example": [[OTHER]],
            "old.example": [[OLD]],
            "nobody.example": [[NOBODY]],
        }
        self.internet.questions.clear()
        for server in (self.plain, self.secure, self.other, *self.hidden):
            server.pages = self.pages
            server.requests.clear()
            server.connections = 0

    @property
    def requests(self) -> list[tuple[str, dict[str, str]]]:
        return self.plain.requests + self.secure.requests + self.other.requests

    @property
    def trespassed(self) -> int:
        """How many connections there were to addresses inside."""
        return sum(server.connections for server in self.hidden)


@pytest.fixture(scope="module")
def whole_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("internet")
    authority = Authority(folder)
    with Internet(folder) as internet:
        servers = {host: WebServer(internet.listen(host, 80)) for host in (MEDIA, OTHER, *INSIDE)}
        secure = WebServer(internet.listen(MEDIA, 443), authority.context("media.example"))
        old = WebServer(internet.listen(OLD, 443), authority.context("old.example", days=0))
        hidden = [servers[host] for host in INSIDE]
        yield Web(internet, authority, servers[MEDIA], secure, servers[OTHER], hidden)
        for server in (*servers.values(), secure, old):
            server.stop()


@pytest.fixture
def web(whole_web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    whole_web.reset()
    monkeypatch.setenv("SSL_CERT_FILE", str(whole_web.authority.file))
    return whole_web


@dataclass
class Online:
    """An installation whose workers are in that internet."""

    installation: Installation
    web: Web

    def start(self, url: str, *, sha256: str | None = None, environment: Any = None, **limits: Any) -> RunningWorker:
        wanted = WorkerLimits(**({"allowed_hosts": ("*",)} | limits))
        request = self.installation.request("0" * 24, source=Source(url=url, sha256=sha256), limits=wanted)
        variables = {"SSL_CERT_FILE": str(self.web.authority.file)} | (environment or {})
        return self.installation.start(request, variables)

    def run(self, url: str, **changes: Any) -> Finished:
        return self.start(url, **changes).finish()


@pytest.fixture
def online(web: Web, mongodb: MongoDBServer, rabbitmq: RabbitMQServer, tmp_path: Path) -> Iterator[Online]:
    for port in (mongodb.port, rabbitmq.port):
        web.internet.let_in(port)
    installation = Installation(mongodb, rabbitmq, tmp_path, inside=web.internet.inside)
    yield Online(installation, web)
    installation.close()


def nothing_left(online: Online) -> bool:
    stores = online.installation
    scratch = [*stores.folder.glob("pod-*/scratch/*")]
    return stores.mp3s() == [] and stores.stray_chunks() == 0 and stores.messages() == [] and scratch == []


def fetched_bytes(ended: Finished) -> int:
    (line,) = [line for line in map(json.loads, ended.log.splitlines()) if line["event"] == "source_at_hand"]
    size: int = line["fetched"]
    return size


def fetched(web: Web, folder: Path, url: str, *, sha256: str | None = None, **limits: Any) -> bytes:
    """What is on the disk at the end, without a process of its own around it."""
    wanted = WorkerLimits(**({"allowed_hosts": ("*",), "max_source_bytes": 1_000_000} | limits))
    request = Installation.request("0" * 24, source=Source(url=url, sha256=sha256), limits=wanted)
    with web.internet.visited():
        client = HttpWeb(resolve=web.internet.resolve, answer_seconds=2, stall_seconds=0.5)
        size = Download(request, client, folder / "source", lambda: None).run()
    content = (folder / "source").read_bytes()
    assert len(content) == size
    return content


# --- the worker as a process ---


def test_a_video_on_the_web_becomes_an_mp3(online: Online, web: Web, samples: Samples, tmp_path: Path) -> None:
    """Over a redirect and two broken connections, with nothing of the environment's in between."""
    content = samples.clip().read_bytes()
    web.pages["/latest"] = redirect("https://media.example/film.mp4?signature=very-secret")
    web.pages["/film.mp4"] = StoredFile(content, cuts=[40_000, 30_000])
    whole = Converter(Stop()).convert(LocalSource.whole(samples.clip()), tmp_path / "whole.mp3", Output())
    proxies = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://10.0.0.5:80")

    ended = online.run(
        "http://media.example/latest?token=very-secret",
        sha256=hashlib.sha256(content).hexdigest(),
        environment=proxies,
        allowed_hosts=("media.example",),
    )

    assert (ended.code, ended.words["reason"]) == (0, "Succeeded"), ended.log
    assert online.installation.entry()["result"]["sha256"] == whole.sha256
    assert fetched_bytes(ended) == len(content)
    assert [headers.get("Range") for _path, headers in web.plain.requests] == [None, "bytes=40000-", "bytes=70000-"]
    assert [headers.get("If-Range") for _path, headers in web.secure.requests] == [None, '"1"', '"1"']
    for _path, headers in web.requests:
        assert headers["Host"] == "media.example"
        assert headers["Accept-Encoding"] == "identity"
        assert not {"Cookie", "Authorization", "Referer"} & headers.keys()
    assert web.trespassed == 0
    assert "very-secret" not in ended.log + json.dumps(ended.words)


def test_memory_does_not_grow_with_the_source(online: Online, web: Web) -> None:
    size = 300 * 1024**2

    def zeros(request: Request) -> None:
        request.head(200, Content_Length=str(size))
        for _ in range(size // 1024**2):
            request.wfile.write(bytes(1024**2))

    web.pages["/zeros"] = zeros
    worker = online.start("http://media.example/zeros")
    peak = 0
    while worker.process.poll() is None:
        peak = max(peak, memory_mib(worker.process.pid))
    ended = worker.finish()
    assert (ended.code, ended.words["reason"]) == (65, "NotMedia"), ended.log
    assert fetched_bytes(ended) == size
    assert peak < 150


def memory_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024 if "VmHWM" in status else 0


def too_large(request: Request) -> None:
    """Does not say how large it is."""
    request.head(200)
    while True:
        request.wfile.write(bytes(16_384))


def drip(request: Request) -> None:
    """A byte now and then, for ever."""
    request.head(200, Content_Length="1000000")
    pause = threading.Event()
    while not pause.wait(0.1):
        request.wfile.write(b"x")


ENDS: dict[str, tuple[Page, dict[str, Any], int, str]] = {
    "led inside": (redirect("http://169.254.169.254/latest/meta-data"), {}, 64, "SourceNotAllowed"),
    "without end": (too_large, {"max_source_bytes": 100_000}, 65, "TooLarge"),
    "gone": (lambda request: request.answer(410), {}, 66, "SourceNotFound"),
    "too slow": (drip, {"run_seconds": 2}, 75, "SourceUnavailable"),
}


@pytest.mark.parametrize(("page", "limits", "code", "reason"), ENDS.values(), ids=ENDS)
def test_it_ends_with_its_reason_and_leaves_nothing(
    online: Online, web: Web, page: Page, limits: dict[str, Any], code: int, reason: str
) -> None:
    web.pages["/film.mp4"] = page

    ended = online.run("http://media.example/film.mp4", **limits)

    assert (ended.code, ended.words["exitCode"], ended.words["reason"]) == (code, code, reason), ended.log
    assert ended.words["message"].endswith(".")
    assert online.installation.entry()["error"]["reason"] == reason
    assert web.trespassed == 0
    assert nothing_left(online)


def test_a_name_that_leads_inside_at_the_second_look_is_not_followed(online: Online, web: Web) -> None:
    """DNS rebinding: the broken connection makes the worker look again, and that is the address it looks at."""
    web.internet.names["rebind.example"] = [[MEDIA], ["127.0.0.1"]]
    web.pages["/film.mp4"] = StoredFile(bytes(100_000), cuts=[50_000])

    ended = online.run("http://rebind.example/film.mp4")

    assert (ended.code, ended.words["reason"]) == (64, "SourceNotAllowed"), ended.log
    assert len(web.plain.requests) == 1
    assert web.internet.questions["rebind.example"] == 2
    assert web.trespassed == 0


def test_asked_to_stop_while_a_server_is_silent_it_stops(online: Online, web: Web) -> None:
    asked, go = threading.Event(), threading.Event()

    def silent(request: Request) -> None:
        request.head(200, Content_Length="1000000")
        asked.set()
        go.wait(30)

    web.pages["/film.mp4"] = silent
    worker = online.start("http://media.example/film.mp4")
    assert asked.wait(30)

    worker.terminate()

    ended = worker.finish(seconds=10)
    go.set()
    assert (ended.code, ended.words["reason"]) == (143, "Stopped"), ended.log
    assert nothing_left(online)


# --- what is fetched ---


@pytest.mark.parametrize("host", [f"{MEDIA}", f"[{OTHER}]:80", "media.example", "six.example"])
def test_a_chunked_answer_without_a_length_is_fetched_whole(web: Web, tmp_path: Path, host: str) -> None:
    content = hashlib.shake_256(b"film").digest(100_000)

    def chunked(request: Request) -> None:
        request.head(200, Transfer_Encoding="chunked")
        for start in range(0, len(content), 9_999):
            piece = content[start : start + 9_999]
            request.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        request.wfile.write(b"0\r\n\r\n")

    web.pages["/film.mp4"] = chunked
    assert fetched(web, tmp_path, f"http://{host}/film.mp4") == content


@pytest.mark.parametrize("addresses", [[NOBODY, MEDIA], ["127.0.0.1", "10.0.0.5", MEDIA]], ids=["dead", "inside"])
def test_the_first_address_that_is_public_and_answers_is_taken(web: Web, tmp_path: Path, addresses: list[str]) -> None:
    web.pages["/film.mp4"] = StoredFile(b"film")
    web.internet.names["media.example"] = [addresses]
    assert fetched(web, tmp_path, "https://media.example/film.mp4") == b"film"
    assert web.trespassed == 0


# --- what is refused for good ---


REFUSED: dict[str, tuple[str, Page, int, str]] = {
    "no page": ("http://media.example/", redirect("/nowhere"), 66, "SourceNotFound"),
    "gone": ("http://media.example/", lambda request: request.answer(410), 66, "SourceNotFound"),
    "no such host": ("http://unknown.example/", redirect("/"), 66, "SourceNotFound"),
    "login": ("http://media.example/", lambda request: request.answer(401), 66, "SourceRefused"),
    "forbidden": ("https://media.example/", lambda request: request.answer(403), 66, "SourceRefused"),
    "a circle": ("http://media.example/", redirect("/"), 66, "SourceRefused"),
    "compressed": (
        "http://media.example/",
        lambda request: request.answer(200, b"x", Content_Encoding="gzip"),
        66,
        "SourceRefused",
    ),
    "nothing": ("http://media.example/", lambda request: request.answer(200), 65, "EmptySource"),
    "a large file": ("http://media.example/", lambda request: request.answer(200, bytes(200_000)), 65, "TooLarge"),
    "a file without end": ("http://media.example/", too_large, 65, "TooLarge"),
    "out of https": ("https://media.example/", redirect("http://media.example/"), 64, "SourceNotAllowed"),
    "another host": ("http://media.example/", redirect("http://six.example/"), 64, "SourceNotAllowed"),
    "another scheme": ("http://media.example/", redirect("file:///etc/passwd"), 64, "SourceNotAllowed"),
    "another port": ("http://media.example/", redirect("http://media.example:6379/"), 64, "SourceNotAllowed"),
    "a name without certificate": ("https://cdn.example/", redirect("/"), 66, "SourceRefused"),
}


@pytest.mark.parametrize(("url", "page", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_source_that_cannot_be_had_is_refused_with_a_sentence(
    web: Web, tmp_path: Path, url: str, page: Page, code: int, reason: str
) -> None:
    web.pages["/"] = page
    allowed = ("media.example", "cdn.example", "unknown.example")
    with pytest.raises(Refused) as refused:
        fetched(web, tmp_path, url, max_source_bytes=100_000, allowed_hosts=allowed)
    assert (refused.value.exit_code, refused.value.reason) == (code, reason)
    assert refused.value.message.endswith(".")


def test_another_content_than_was_named_is_refused(web: Web, tmp_path: Path) -> None:
    web.pages["/film.mp4"] = StoredFile(b"film")
    with pytest.raises(Refused) as refused:
        fetched(web, tmp_path, "http://media.example/film.mp4", sha256="0" * 64)
    assert refused.value.reason == "ChecksumMismatch"


def test_a_host_that_is_not_allowed_is_not_even_looked_up(web: Web, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        fetched(web, tmp_path, "http://media.example/film.mp4", allowed_hosts=())
    assert refused.value.reason == "SourceNotAllowed"
    assert web.internet.questions.total() == 0


@pytest.mark.parametrize("host", ["media.example", "old.example"], ids=["stranger", "expired"])
def test_a_server_must_prove_who_it_is(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Neither an authority that nobody knows nor a certificate that is over will do."""
    if host == "media.example":
        monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
        monkeypatch.setenv("SSL_CERT_DIR", "/dev/null")
    with pytest.raises(Refused, match=f"{host} cannot prove who it is") as refused:
        fetched(web, tmp_path, f"https://{host}/film.mp4")
    assert refused.value.reason == "SourceRefused"
    assert web.requests == []


# --- addresses that are nobody's business ---


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("way", ["by name", "by address", "by a redirect"])
def test_no_address_inside_is_connected_to(web: Web, tmp_path: Path, address: str, way: str) -> None:
    host = f"[{address}]" if ":" in address else address
    web.internet.names["inside.example"] = [[address]]
    web.pages["/"] = redirect(f"http://{host}/latest/meta-data")
    web.pages["/film.mp4"] = StoredFile(b"secret")
    url = {
        "by name": "http://inside.example/film.mp4",
        "by address": f"http://{host}/film.mp4",
        "by a redirect": "http://media.example/",
    }[way]
    with pytest.raises(Refused) as refused:
        fetched(web, tmp_path, url)
    assert refused.value.reason == "SourceNotAllowed"
    assert web.trespassed == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost"])
def test_no_spelling_of_an_address_inside_helps(web: Web, host: str) -> None:
    """As the system's own resolver reads them."""
    with (
        web.internet.visited(),
        pytest.raises(Refused, match="no address in the public internet"),
        HttpWeb().ask(f"http://{host}/film.mp4", {}, lambda: None),
    ):
        pass
    assert web.trespassed == 0


def test_between_look_and_connection_there_is_no_second_look(web: Web, tmp_path: Path) -> None:
    web.internet.names["rebind.example"] = [[MEDIA], ["127.0.0.1"]]
    web.pages["/film.mp4"] = StoredFile(b"film")
    assert fetched(web, tmp_path, "http://rebind.example/film.mp4") == b"film"
    assert web.internet.questions["rebind.example"] == 1
    assert web.trespassed == 0


# --- the adapter alone, with less patience ---


def ask(web: Web, page: Page, url: str = "http://media.example/") -> bytes:
    web.pages["/"] = page
    client = HttpWeb(resolve=lambda _host, _port: [MEDIA], answer_seconds=0.5, stall_seconds=0.5)
    with web.internet.visited(), client.ask(url, {}, lambda: None) as answer:
        return b"".join(answer.blocks())


def test_silence_is_noticed_before_and_after_the_head(web: Web) -> None:
    done = threading.Event()

    def silent(request: Request) -> None:
        done.wait(30)

    def silent_after_the_head(request: Request) -> None:
        request.head(200, Content_Length="10")
        done.wait(30)

    for page in (silent, silent_after_the_head):
        with pytest.raises(BrokenOffError, match=r"media\.example sent nothing for"):
            ask(web, page)
    done.set()


def short(request: Request) -> None:
    request.head(200, Content_Length="10")
    request.wfile.write(b"four")


def half_a_chunk(request: Request) -> None:
    request.head(200, Transfer_Encoding="chunked")
    request.wfile.write(b"5\r\nfour")


def nonsense(request: Request) -> None:
    request.wfile.write(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize("page", [short, half_a_chunk, nonsense])
def test_an_answer_that_ends_early_is_broken_off(web: Web, page: Page) -> None:
    with pytest.raises(BrokenOffError, match=r"^The connection to media\.example broke"):
        ask(web, page)


def test_where_tls_is_expected_plain_text_is_no_answer(web: Web) -> None:
    with pytest.raises(BrokenOffError, match=r"No connection to media\.example"):
        ask(web, short, "https://media.example:80/")


def test_a_head_without_end_is_broken_off(web: Web) -> None:
    def endless(request: Request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            request.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    with pytest.raises(BrokenOffError):
        ask(web, endless)


def test_without_public_addresses_nothing_is_asked(web: Web) -> None:
    client = HttpWeb(resolve=lambda _host, _port: ["127.0.0.1", "::1"])
    with (
        web.internet.visited(),
        pytest.raises(Refused, match="no address in the public internet"),
        client.ask("http://media.example/", {}, lambda: None),
    ):
        pass
    assert web.trespassed == 0
