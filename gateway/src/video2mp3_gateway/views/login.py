"""POST /login: passed on to the auth service as it is, with the client's address for its throttle."""

from flask import Blueprint, Response, g, request

from video2mp3_gateway.metrics import GatewayMetrics
from video2mp3_gateway.ports import LoginAttempt, LoginClient

_MAX_AUTHORIZATION = 4096


def login_routes(logins: LoginClient, metrics: GatewayMetrics) -> Blueprint:
    """The route."""
    routes = Blueprint("login", __name__)

    @routes.post("/login")
    def login() -> Response:
        attempt = LoginAttempt(
            authorization=request.headers.get("Authorization", "")[:_MAX_AUTHORIZATION],
            client_address=request.remote_addr or "",
            request_id=g.request_id,
        )
        answer = logins.login(attempt)
        metrics.logins.labels(answer.status).inc()
        response = Response(answer.body, answer.status, content_type=answer.content_type)
        response.headers.update(answer.headers)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
