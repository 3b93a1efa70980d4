"""The auth service over HTTP: logins are passed on to it, and the keys for tokens come from it."""

import json
from typing import Any, Final

import urllib3

from video2mp3_contracts.runtime.problem import PROBLEM_CONTENT_TYPE
from video2mp3_gateway.ports.systems import DependencyUnavailable, LoginAnswer, LoginAttempt

_TIMEOUT: Final = urllib3.Timeout(connect=2, read=8)
"""Seconds. Verifying a password takes the auth service a good part of a second, more when it is busy."""

_KEYS_TIMEOUT: Final = urllib3.Timeout(connect=1, read=2)
"""Seconds. Requests wait for this."""

_CONNECTIONS: Final = 8
_MAX_ANSWER_BYTES: Final = 64 * 1024
_PASSED_STATUSES: Final = frozenset({200, 400, 401, 403, 413, 415, 422, 429})
"""Answers that mean something to the client, as problems do. Any other says that the auth service is not well."""

_PASSED_HEADERS: Final = ("WWW-Authenticate", "Retry-After", "Cache-Control")


class AuthService:
    """The HTTP client of the auth service."""

    def __init__(self, url: str) -> None:
        """`url` is the service's address, without a slash at the end."""
        self._url = url
        # A connection that turns out to be closed is no failure: logging in twice does no harm.
        retries = urllib3.Retry(total=1, redirect=0, status=0, allowed_methods=None, raise_on_redirect=False)
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, retries=retries)

    def login(self, attempt: LoginAttempt) -> LoginAnswer:
        """Pass a login on. Raises DependencyUnavailable."""
        headers = {
            "X-Forwarded-For": attempt.client_address,
            "X-Request-Id": attempt.request_id,
            "Accept": "*/*",
        }
        if attempt.authorization:
            headers["Authorization"] = attempt.authorization
        response, body = self._ask("POST", "/login", headers, _TIMEOUT)
        content_type = response.headers.get("Content-Type", "text/plain")
        if response.status not in _PASSED_STATUSES and content_type != PROBLEM_CONTENT_TYPE:
            raise DependencyUnavailable("auth", f"it answered a login with {response.status}")
        return LoginAnswer(
            status=response.status,
            content_type=content_type,
            body=body,
            headers={name: response.headers[name] for name in _PASSED_HEADERS if name in response.headers},
        )

    def key_set(self) -> Any:
        """The JWK Set, as decoded JSON. Raises DependencyUnavailable."""
        response, body = self._ask("GET", "/.well-known/jwks.json", {"Accept": "application/json"}, _KEYS_TIMEOUT)
        if response.status != 200:
            raise DependencyUnavailable("auth", f"it answered the request for its keys with {response.status}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise DependencyUnavailable("auth", "its key set is not JSON") from error

    def _ask(
        self, method: str, path: str, headers: dict[str, str], timeout: urllib3.Timeout
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        try:
            response = self._pool.request(
                method, self._url + path, headers=headers, timeout=timeout, preload_content=False
            )
            body = response.read(_MAX_ANSWER_BYTES + 1)
        except urllib3.exceptions.HTTPError as error:
            raise DependencyUnavailable("auth", str(error)) from error
        if len(body) > _MAX_ANSWER_BYTES:
            response.close()
            raise DependencyUnavailable("auth", "its answer is too long")
        response.release_conn()
        return response, body
