"""Heads of requests that are nearly right, and sometimes are.

Pure: the same chance makes the same bytes.
"""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.gateway.case import TOKEN
from tests.fuzz.gateway.texts import any_text

_BEARER: Final = (b"Authorization", b"Bearer " + TOKEN)
_BASIC: Final = (b"Authorization", b"Basic " + base64.b64encode(b"alice@example.com:password"))
_NOTHING: Final = b"0" * 24
CALLS: Final = (
    (b"GET", b"/healthz"), (b"GET", b"/readyz"), (b"GET", b"/"), (b"POST", b"/login"), (b"GET", b"/login"),
    (b"GET", b"/conversions?limit=5"), (b"GET", b"/conversions/upload-" + _NOTHING),
    (b"DELETE", b"/conversions/upload-" + _NOTHING), (b"POST", b"/conversions/upload-" + _NOTHING + b"/retry"),
    (b"GET", b"/classes"), (b"GET", b"/mp3s"), (b"DELETE", b"/mp3s/" + _NOTHING),
    (b"GET", b"/download?fid=" + _NOTHING), (b"HEAD", b"/download?fid=" + _NOTHING),
)  # fmt: skip
"""All calls but the upload. What they name is never there, so that nothing that is accepted goes again."""

_METHODS: Final = (
    b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PUT", b"PATCH", b"POST", b"DELETE", b"PRI", b"get", b"Get", b"", b"G",
    b"G\0T", b"G\tT", b"G\xc3\x89T", b"X" * 21, b"X" * 9000, b"GET,POST", b'"GET"', b"GET ", b" GET", b"\r\nGET",
    b"\nGET", b"\r\n\r\nGET",
)  # fmt: skip
_TARGETS: Final = (
    b"*", b"", b"healthz", b"//healthz", b"///", b"/healthz/", b"/./healthz", b"/../healthz", b"/%2e%2e/healthz",
    b"/healthz%00", b"/%zz", b"/%", b"/\xff\xfe", b"/%ff%fe", b"/\0", b"/a\tb", b"/a b", b"/healthz#x", b"/?",
    b"/??&&==", b"http://gateway/healthz", b"http://evil.example/conversions", b"HTTP://GATEWAY:99999/",
    b"http://[::1/healthz", b"http://[zz]/", b"http:///healthz", b"http:healthz", b"://", b"//evil.example/%2f..",
    b"evil.example:443", b"\\\\evil\\x", b"/conversions//x", b"/mp3s//x", b"/conversions/%2e%2e%2fhealthz",
    b"/conversions/a%0d%0aX-Injected:%20x", b"/mp3s/%2f", b"/upload/", b"/login?%0d%0aX-Injected:x",
    b"/" + b"x" * 4070, b"/" + b"x" * 4100, b"/" + b"/" * 3000, b"/%E2%80%AE", b"/\xe2\x80\xae",
    b"/download?fid=" + b"a" * 2000, b"/download?fid=\xc3\xa9", b"/download?fid=%00", b"/download?fid=a&fid=b",
    b"/download", b"/download?fid[$ne]=", b"/conversions?limit=0", b"/conversions?limit=" + b"9" * 3000,
    b"/conversions?limit=%D9%A3", b"/conversions?limit=1&limit=2", b"/conversions?continue=" + b"W" * 3900,
    b"/conversions?continue=%00", b"/mp3s?continue=x", b"/conversions?" + b"a=b&" * 900, b"/conversions?" + b";" * 900,
    b"/conversions?%ud800", b"/conversions?%ed%a0%80=1", b"/metrics", b"/static/../app.py", b"/favicon.ico",
    b"/?fid=x", b"/upload?x=1",
)  # fmt: skip
_VERSIONS: Final = (
    b"HTTP/1.0", b"HTTP/1.0", b"HTTP/0.9", b"", b"HTTP/2.0", b"HTTP/1.2", b"HTTP/1.10", b"HTTP/01.1", b"http/1.1",
    b"HTTP/1.1 ", b"HTTP/ 1.1", b"HTTP/1,1", b"HTTP/1.1\0", b"HTTP/\xd9\xa1.1", b"SIP/2.0", b"HTTP/1.1 x", b"HTTP/1.",
)  # fmt: skip
_NAMES: Final = (
    b"Host", b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Authorization",
    b"Cookie", b"X-Request-Id", b"Range", b"If-Range", b"If-None-Match", b"If-Modified-Since", b"Accept",
    b"Accept-Language", b"Upgrade", b"Trailer", b"TE", b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host",
    b"X-Forwarded-Protocol", b"X-Forwarded-Ssl", b"X-Forwarded-Prefix", b"Forwarded", b"SCRIPT_NAME", b"PATH_INFO",
    b"Content_Length", b"REMOTE_USER", b"Proxy", b"X-HTTP-Method-Override", b"X-Original-URL", b"HTTP2-Settings",
    b"Content-Encoding", b"Referer", b"Origin", b"Date", b"X-Injected",
)  # fmt: skip
_BAD_NAMES: Final = (
    b"",
    b" Host",
    b"Host ",
    b"Ho st",
    b"H\0st",
    b"H\xc3\xb6st",
    b"Host:",
    b"(Host)",
    b"x" * 9000,
    b"\t",
    b"\x0bX",
)
_VALUES: Final = (
    b"", b" ", b"\t", b"\0", b"a\0b", b"a\rb", b"a\nb", b"a\r\n b", b"a\r\n\tb", b"a\r\nX-Injected: b", b"\x7f",
    b"\x0b", b"\x1b[31m", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"x" * 8180, b"x" * 8200,
    b"x" * 17_000, b",", b",,,,", b'"', b"=", b";" * 99, b"0", b"-1", b"+1", b"1" * 5000, b"\xb2", b"\xbc", b"0x10",
    b"1_0", b"1e3", b"10, 10", b"18446744073709551616", b"close", b"keep-alive", b"close, keep-alive", b"upgrade",
    b"h2c", b"websocket", b"100-continue", b"100-Continue", b"200-ok", b"chunked", b"Chunked", b"identity", b"gzip",
    b"gzip, chunked", b"chunked, chunked", b"chunked, identity", b"\x0bchunked", b"chunked;q=1", b"trailers", b"https",
    b"http", b"on", b"ssl", b"/healthz", b"/x", b"evil.example", b"a, b", b"[::1", b"[::1]:99999", b"gateway:x",
    b"a@b", b"a/b", b"..", b"127.0.0.1", b"::ffff:1", b"bytes=0-", b"bytes=-0", b"bytes=5-1", b"bytes=0-0,1-1",
    b"bytes=" + b"0-0," * 900, b"bytes=" + b"9" * 5000 + b"-", b"bytes=a-b", b"bytes", b"bytes=\xb2-", b'"a"', b"W/",
    b'W/"a", *', b'"' * 4000, b"*", b"*/*;q=x", b"text/html", b"text/html;q=" + b"1" * 5000,
    b"Thu, 99 Foo 99999999999 99:99:99 GMT", b"multipart/form-data", b"multipart/form-data; boundary=",
    b'multipart/form-data; boundary="', b"multipart/form-data; boundary=" + b"x" * 201,
    b"multipart/form-data; boundary*=utf-8''%0d%0a", b"multipart/form-data; boundary*=utf-16''%00",
    b"MULTIPART/FORM-DATA; BOUNDARY=B", b"multipart/form-data; boundary*0=a; boundary*1=b",
    b"multipart/form-data" + b"; a" * 2000, b"application/json", b"AAMAAABkAAQAAP__",
)  # fmt: skip


@dataclass
class Head:
    """A head as it is being made."""

    method: bytes
    target: bytes
    version: bytes = b"HTTP/1.1"
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    line_end: bytes = b"\r\n"
    separator: bytes = b" "

    def __bytes__(self) -> bytes:
        line = self.separator.join(part for part in (self.method, self.target, self.version) if part or self.version)
        return self.line_end.join((line, *(name + b": " + value for name, value in self.fields), b"", b""))


def a_call(chance: random.Random) -> Head:
    """A request without a body that is right."""
    method, target = chance.choice(CALLS)
    login = _BASIC if target.startswith(b"/login") else _BEARER
    return Head(method, target, fields=[(b"Host", b"gateway"), login])


def an_upload(content_type: bytes) -> Head:
    """The head of an upload that is right, but for its length."""
    return Head(b"POST", b"/upload", fields=[(b"Host", b"gateway"), _BEARER, (b"Content-Type", content_type)])


def spoil(head: Head, chance: random.Random) -> None:
    """Do one thing to it."""
    chance.choice(_SPOILS)(head, chance)


def _method(head: Head, chance: random.Random) -> None:
    head.method = chance.choice(_METHODS)


def _target(head: Head, chance: random.Random) -> None:
    head.target = chance.choice(_TARGETS)
    if chance.random() < 0.2:
        quoted = "".join(f"%{byte:02x}" for byte in any_text(chance).encode(errors="surrogatepass"))
        head.target = (
            chance.choice((b"/conversions/", b"/download?fid=", b"/conversions?continue=", b"/", b"/mp3s/"))
            + quoted.encode()
        )


def _version(head: Head, chance: random.Random) -> None:
    head.version = chance.choice(_VERSIONS)


def _add(head: Head, chance: random.Random) -> None:
    name = chance.choice(_NAMES) if chance.random() < 0.9 else chance.choice(_BAD_NAMES)
    head.fields.insert(chance.randrange(len(head.fields) + 1), (name, _value(chance)))


def _change(head: Head, chance: random.Random) -> None:
    if head.fields:
        place = chance.randrange(len(head.fields))
        name, value = head.fields[place]
        head.fields[place] = (name, chance.choice((_value(chance), value + _value(chance), _value(chance) + value)))


def _authorization(head: Head, chance: random.Random) -> None:
    head.fields = [(name, value) for name, value in head.fields if name != b"Authorization"]
    head.fields.append(
        (b"Authorization", chance.choice((b"Bearer ", b"bearer  ", b"Basic ", b"Negotiate ", b"")) + _a_token(chance))
    )


def _without(head: Head, chance: random.Random) -> None:
    if head.fields:
        del head.fields[chance.randrange(len(head.fields))]


def _twice(head: Head, chance: random.Random) -> None:
    if head.fields:
        head.fields += [chance.choice(head.fields)] * chance.choice((1, 1, 1, 2, 99, 101))


def _letters(head: Head, chance: random.Random) -> None:
    head.fields = [(chance.choice((name.upper(), name.lower(), name)), value) for name, value in head.fields]
    chance.shuffle(head.fields)


def _lines(head: Head, chance: random.Random) -> None:
    head.line_end = chance.choice((b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n ", b"\r\n\r\n"))


def _blanks(head: Head, chance: random.Random) -> None:
    head.separator = chance.choice((b"  ", b"\t", b"\x0b", b"", b"\0"))


def _value(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.7:
        return chance.choice(_VALUES)
    if kind < 0.85:
        return any_text(chance).encode(errors="surrogatepass")
    return chance.randbytes(chance.randrange(40))


def _a_token(chance: random.Random) -> bytes:
    """A JWT, or something like it, that nobody signed; its parts are of all that JSON can say."""
    header = chance.choice((_JOSE, _JOSE[:-1] + b',"x":' + _a_value(chance) + b"}", _a_value(chance)))
    claims = b'{"sub":' + _a_value(chance) + b"}"
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims, chance.randbytes(64))]
    return b".".join(parts[: chance.choice((1, 2, 3, 3, 3))]) + chance.choice((b"", b"", b".", b"\xff", b"="))


_JOSE: Final = b'{"alg":"ES256","kid":"key-1"}'


def _a_value(chance: random.Random) -> bytes:
    depth = chance.choice((10, 500, 2500))
    text = json.dumps(any_text(chance)).encode()
    return chance.choice(
        (
            b"[" * depth + b"]" * depth,
            b'{"a":' * depth + b"1" + b"}" * depth,
            b"1" * 2 * depth,
            b"1e999",
            b"NaN",
            b"-0",
            b"null",
            b'"\\ud800"',
            text,
            b"{",
            b"\xff",
        )
    )


_SPOILS: Final[tuple[Callable[[Head, random.Random], None], ...]] = (
    _method, _target, _target, _version, _add, _add, _add, _add, _change, _change, _authorization, _without, _twice,
    _letters, _lines, _blanks,
)  # fmt: skip
