"""POST /login: passed on to the auth service as it is, with the client's address for its throttle."""

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from video2mp3_gateway.http.metrics import GatewayMetrics
from video2mp3_gateway.ports.systems import LoginAttempt, LoginClient
from video2mp3_gateway.web.clicks import is_a_click

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

    @routes.get("/login")
    def page() -> Response:
        # Emails show this address for curl, and mail programs make a link of it.
        if is_a_click():
            return Response(status=303, headers={"Location": "./"})
        raise MethodNotAllowed(["POST"])

    return routes
