"""The conventions of our two HTTP services: problem+json, request ids, access log, metrics, health.

The only module of this room that knows Flask (extra `web`).
"""

import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from werkzeug.exceptions import BadHost, HTTPException

from video2mp3_contracts.api.names import is_request_id
from video2mp3_contracts.runtime.metrics import new_registry
from video2mp3_contracts.runtime.problem import PROBLEM_CONTENT_TYPE, REQUEST_ID_HEADER, Problem, malformed_request

REGISTRY: Final = "video2mp3-metrics"
"""The key of an application's registry in its `extensions`."""
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger(__name__)


def problem_response(problem: Problem) -> Response:
    """The problem as an answer."""
    response = jsonify(problem.document(g.get("request_id", "")))
    response.status_code = problem.status
    response.content_type = PROBLEM_CONTENT_TYPE
    response.headers.extend(problem.headers)
    return response


Translations = Mapping[type[Any], Callable[[Any], Problem]]
"""What a service's own errors look like to its clients: each type of exception and what makes a Problem of it."""


def install_conventions(
    app: Flask, ready: Callable[[], None], translations: Translations | None = None
) -> CollectorRegistry:
    """Give an application its error answers, request ids, access log, metrics, `/healthz` and `/readyz`.

    `ready` raises a Problem, or an error that `translations` knows, while the service cannot do its work. Answers the
    registry for the service's own metrics.
    """
    registry = app.extensions[REGISTRY] = new_registry()
    # An address with two slashes is none of ours. By default it is led on, in HTML, to whatever host the client named.
    app.url_map.merge_slashes = False
    _install_problems(app, registry, translations or {})
    _install_request_log(app, registry)
    _install_health(app, ready)
    return registry


def serve_metrics(app: Flask, port: int) -> int:
    """Answer `/metrics` for as long as the process runs, on a port that is not the one for people; answers the port.

    From a thread of the process that counts, so there is one such process for each pod. Raises OSError when the port
    is taken.
    """
    server, _ = start_http_server(port, registry=app.extensions[REGISTRY])
    return int(server.server_port)


def _install_problems(app: Flask, registry: CollectorRegistry, translations: Translations) -> None:
    problems = Counter(
        "video2mp3_http_problems", "Answers that were errors, by their code.", ["code"], registry=registry
    )

    def answer(problem: Problem) -> Response:
        problems.labels(problem.code).inc()
        return problem_response(problem)

    def on_http_exception(error: HTTPException) -> Response:
        status = error.code or 500
        code = (error.name or "error").lower().replace(" ", "-")
        headers = {key: value for key, value in error.get_headers() if key.lower() in ("allow", "retry-after")}
        return answer(Problem(status, error.name, error.description or error.name, code=code, headers=headers))

    def on_bug(error: Exception) -> Response:
        _log.exception("request_failed", path=request.path)
        detail = "Something went wrong on our side. Try again; if it stays, report the requestId."
        return answer(Problem(500, "Internal Server Error", detail, code="internal-error"))

    def translated(error: Exception, translate: Callable[[Any], Problem]) -> Response:
        problem = translate(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("request_not_served", path=request.path, code=problem.code, error=str(error))
        return answer(problem)

    for kind, translate in translations.items():
        app.register_error_handler(kind, partial(translated, translate=translate))
    app.register_error_handler(Problem, answer)
    app.register_error_handler(BadHost, lambda _error: answer(malformed_request()))
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(Exception, on_bug)


def _install_request_log(app: Flask, registry: CollectorRegistry) -> None:
    seconds = Histogram(
        "video2mp3_http_request_seconds",
        "Time to the end of the answer's head.",
        ["method", "route", "status"],
        registry=registry,
    )

    def begin() -> None:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        g.request_id = given if is_request_id(given) else uuid.uuid4().hex
        g.started = time.monotonic()
        # Threads serve one request after the other: whatever the last one bound must not stick to this one's lines.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    def end(response: Response) -> Response:
        response.headers[REQUEST_ID_HEADER] = g.request_id
        elapsed = time.monotonic() - g.started
        route = request.url_rule.rule if request.url_rule else "unknown"
        # Anybody can make methods up, and every new label stays in memory.
        method = request.method if request.method in _METHODS else "other"
        seconds.labels(method, route, response.status_code).observe(elapsed)
        if request.path not in _QUIET_PATHS:
            _log.info(
                "request",
                method=method,
                route=route,
                status=response.status_code,
                seconds=round(elapsed, 4),
            )
        return response

    app.before_request(begin)
    app.after_request(end)


def _install_health(app: Flask, ready: Callable[[], None]) -> None:
    def healthz() -> tuple[str, int]:
        return "ok\n", 200

    def readyz() -> tuple[str, int]:
        ready()
        return "ready\n", 200

    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
