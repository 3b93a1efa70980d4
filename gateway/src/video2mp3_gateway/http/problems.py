"""Every error that the gateway answers with, as problem+json (RFC 9457). docs/api.md lists them by their code."""

from collections.abc import Collection, Sequence
from typing import Final

from video2mp3_contracts.runtime.problem import Problem
from video2mp3_gateway.http.concurrency_limit import LimitReached
from video2mp3_gateway.ports.systems import DependencyUnavailable, FileVanished

_RETRY_SECONDS: Final = "10"
_SHOWN: Final = 63
"""Of the name of a class: Conversions have room for no more."""

_RETRY: Final = {"Retry-After": _RETRY_SECONDS}


def dependency_unavailable(error: DependencyUnavailable) -> Problem:
    """A system that the gateway needs does not answer."""
    detail = f"The gateway cannot reach {error.service} at the moment. Nothing was stored. Try again later."
    return Problem(503, "Service Unavailable", detail, code="service-unavailable", headers=_RETRY)


def limit_reached(error: LimitReached) -> Problem:
    """Too much runs already."""
    if error.own:
        detail = "Your account has as many transfers running as are allowed at a time. Wait for one of them to end."
        return Problem(429, "Too Many Requests", detail, code="too-many-of-yours", headers=_RETRY)
    detail = "As many transfers are running as the gateway can take. Try again later."
    return Problem(503, "Service Unavailable", detail, code="too-many-transfers", headers=_RETRY)


def unauthorized(error: str = "", reason: str = "") -> Problem:
    """No token, or one that proves nothing. The header is as RFC 6750 has it."""
    challenge = 'Bearer realm="video2mp3"'
    detail = "This needs a token: POST /login gives one; send it as 'Authorization: Bearer TOKEN'."
    if error:
        challenge += f', error="{error}", error_description="{reason}"'
        detail = f"The token was not accepted: {reason}."
    return Problem(401, "Unauthorized", detail, code="unauthorized", headers={"WWW-Authenticate": challenge})


def not_found(what: str) -> Problem:
    """It is not there, or it belongs to somebody else: the answer does not say which."""
    return Problem(404, "Not Found", f"You have no such {what}.", code="not-found")


def file_vanished(_error: FileVanished) -> Problem:
    """It was removed between being found and being read."""
    return not_found("file")


def still_shown() -> Problem:
    """What is asked for would take a Conversion's mp3 away."""
    detail = "A conversion shows this mp3 as its own. Delete that one first."
    return Problem(409, "Conflict", detail, code="still-shown")


def bad_request(code: str, detail: str) -> Problem:
    """The request is not one that could be done."""
    return Problem(400, "Bad Request", detail, code=code)


def unknown_parameter(name: str, known: Collection[str]) -> Problem:
    """The query has a parameter that nothing reads."""
    there = f"Known are: {', '.join(known)}." if known else "This address takes none."
    return bad_request("unknown-parameter", f"The parameter {name!r} is not known here. {there}")


def invalid_options(detail: str, fields: list[dict[str, str]]) -> Problem:
    """What is asked for is understood, and is not to be had. `fields` names each culprit."""
    return Problem(422, "Unprocessable Content", detail, code="invalid-options", extensions={"errors": fields})


def class_not_offered(name: str, offered: Sequence[str]) -> Problem:
    """An upload asks for a class that it cannot have."""
    there = f"Offered are: {', '.join(offered)}" if offered else "None is offered here: leave the parameter out"
    detail = f"The class {name[:_SHOWN]!r} is not offered. {there}. Nothing was stored."
    extensions = {"errors": [{"field": "class", "message": "not offered"}], "offered": list(offered)}
    return Problem(422, "Unprocessable Content", detail, code="class-not-offered", extensions=extensions)


def not_failed() -> Problem:
    """There is nothing to try anew."""
    detail = "Only a conversion that has failed can be tried anew, and this one has not."
    return Problem(409, "Conflict", detail, code="not-failed")


def too_large(limit: int) -> Problem:
    """The video has more bytes than is allowed."""
    detail = f"A video may have at most {limit} bytes."
    return Problem(413, "Content Too Large", detail, code="too-large", extensions={"maxBytes": limit})


def stalled() -> Problem:
    """The client stopped sending."""
    detail = "No data came for too long, so the upload was given up and nothing was stored. Send it again."
    return Problem(408, "Request Timeout", detail, code="upload-stalled")


def draining() -> Problem:
    """This process is ending; another one will take the upload."""
    detail = "The gateway is restarting, so the upload was given up and nothing was stored. Send it again."
    return Problem(503, "Service Unavailable", detail, code="restarting", headers=_RETRY)


def not_converted() -> Problem:
    """The file came, and the Conversion could not be created."""
    detail = "The conversion could not be started, so the uploaded video was removed again. Try again later."
    return Problem(503, "Service Unavailable", detail, code="conversion-not-created", headers=_RETRY)


def range_not_satisfiable(size: int) -> Problem:
    """The range begins after the file's end."""
    headers = {"Content-Range": f"bytes */{size}"}
    detail = f"The file has {size} bytes, and the range asks for none of them."
    return Problem(416, "Range Not Satisfiable", detail, code="range-not-satisfiable", headers=headers)
