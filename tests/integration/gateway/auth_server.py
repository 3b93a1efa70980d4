"""An auth service on loopback: real HTTP, real keys, and the test says how it behaves."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec


class AuthServer:
    """Gives out tokens that it signs with its newest key, and publishes all its keys."""

    def __init__(self) -> None:
        self.keys = {"key-1": ec.generate_private_key(ec.SECP256R1())}
        self.key_requests = 0
        self.logins: list[dict[str, str]] = []
        self.login_status = 200
        self.stalls = False
        self.away = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._done = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.keys[f"key-{len(self.keys) + 1}"] = ec.generate_private_key(ec.SECP256R1())

    def token(self, account: str, kid: str | None = None) -> str:
        signing = kid or list(self.keys)[-1]
        now = datetime.now(UTC)
        claims = {
            "iss": "video2mp3-auth",
            "aud": "video2mp3",
            "sub": account,
            "iat": now,
            "exp": now + timedelta(hours=1),
            "jti": "1",
        }
        return jwt.encode(claims, self.keys[signing], "ES256", headers={"kid": signing})

    def reset(self) -> None:
        """Behave well again, and forget who logged in; the keys stay."""
        self.login_status, self.stalls, self.away = 200, False, False
        self.logins.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        auth = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def parse_request(self) -> bool:
                self.close_connection = auth.away
                return not auth.away and super().parse_request()

            def do_GET(self) -> None:
                auth.key_requests += 1
                keys = [auth._jwk(kid) for kid in auth.keys]
                self._answer(200, json.dumps({"keys": keys}).encode(), "application/jwk-set+json")

            def do_POST(self) -> None:
                auth.logins.append(dict(self.headers))
                if auth.stalls:
                    auth._done.wait(30)
                self._answer(auth.login_status, auth.token("alice@example.com").encode(), "text/plain; charset=utf-8")

            def _answer(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _jwk(self, kid: str) -> dict[str, Any]:
        public = self.keys[kid].public_key()
        return jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True) | {"kid": kid, "use": "sig", "alg": "ES256"}
