"""An error that a client of our HTTP services is told, as RFC 9457 has it."""

from typing import Final

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
REQUEST_ID_HEADER: Final = "X-Request-Id"


class Problem(Exception):
    """An answer that is an error. Raise it anywhere in a view."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        code: str,
        headers: dict[str, str] | None = None,
        extensions: dict[str, object] | None = None,
    ) -> None:
        """`code` is the constant that clients and metrics tell problems apart by; `detail` says what to do."""
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.headers = headers or {}
        self.extensions = extensions or {}

    def document(self, request_id: str) -> dict[str, object]:
        """The answer's body."""
        return {
            "type": f"urn:video2mp3:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
            **self.extensions,
        }


def malformed_request() -> Problem:
    """What came is no request that can be read."""
    detail = "The request is no valid HTTP/1.1: its first line, a header or the body's chunks cannot be read."
    return Problem(400, "Bad Request", detail, code="malformed-request")
