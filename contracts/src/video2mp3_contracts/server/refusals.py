"""Answers to what reaches no application, since its head is none: problem+json, as every error has it."""

import json
import uuid
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from gunicorn.http import errors

from video2mp3_contracts.runtime.problem import PROBLEM_CONTENT_TYPE, REQUEST_ID_HEADER, Problem, malformed_request
from video2mp3_contracts.server.limits import HEAD_SECONDS, MAX_HEAD_BYTES


def head_too_large() -> Problem:
    """More came than a head may have."""
    detail = f"The headers are too many or too long: {MAX_HEAD_BYTES} bytes in all, 100 headers, 8190 bytes for each."
    return Problem(431, "Request Header Fields Too Large", detail, code="head-too-large")


def head_too_slow() -> Problem:
    """The head did not come to its end."""
    detail = f"The request's head did not arrive within {HEAD_SECONDS} s. Send it again."
    return Problem(408, "Request Timeout", detail, code="head-too-slow")


def _address_too_long() -> Problem:
    detail = "The address is too long: a request's first line may have 4094 bytes."
    return Problem(414, "URI Too Long", detail, code="address-too-long")


def _expectation_failed() -> Problem:
    detail = "Of the header Expect only the value 100-continue is known here."
    return Problem(417, "Expectation Failed", detail, code="expectation-failed")


def _coding_unknown() -> Problem:
    detail = "Of the header Transfer-Encoding only the value chunked is known here."
    return Problem(501, "Not Implemented", detail, code="transfer-coding-unknown")


def _bug() -> Problem:
    detail = "Something went wrong on our side. Try again; if it stays, report the requestId."
    return Problem(500, "Internal Server Error", detail, code="internal-error")


_OURS: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)
_ANSWERS: Final = {
    errors.LimitRequestHeaders: head_too_large,
    errors.LimitRequestLine: _address_too_long,
    errors.ExpectationFailed: _expectation_failed,
    errors.UnsupportedTransferCoding: _coding_unknown,
}


def problem_of(error: BaseException) -> Problem:
    """What went wrong before or around the application, as a client is told."""
    if isinstance(error, _OURS) or not isinstance(error, errors.ParseException):
        return _bug()
    return _ANSWERS.get(type(error), malformed_request)()


def answer(problem: Problem) -> bytes:
    """The whole answer, after which the connection is closed."""
    request_id = uuid.uuid4().hex
    body = json.dumps(problem.document(request_id)).encode()
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        "Connection: close",
        f"Content-Type: {PROBLEM_CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"{REQUEST_ID_HEADER}: {request_id}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
