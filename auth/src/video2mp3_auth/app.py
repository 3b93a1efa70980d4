"""The HTTP service: `POST /login`, `GET /validate`, `GET /.well-known/jwks.json`."""

from collections.abc import Callable

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.middleware.proxy_fix import ProxyFix

from video2mp3_auth.bootstrap import Services, services
from video2mp3_auth.credentials import parse_basic, parse_bearer
from video2mp3_auth.errors import AuthError, InvalidToken
from video2mp3_auth.login import Login
from video2mp3_auth.metrics import AuthMetrics
from video2mp3_auth.networks import network
from video2mp3_auth.problems import TRANSLATIONS
from video2mp3_auth.settings import AuthSettings
from video2mp3_auth.throttle import View, throttle
from video2mp3_auth.tokens import Tokens
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_contracts.runtime.web import install_conventions, serve_metrics

_LARGEST_BODY_BYTES = 16 * 1024  # no call of ours has a body; one that is sent is not worth more
_log = structlog.get_logger(__name__)


def create_app() -> Flask:
    """The application as gunicorn runs it, from the environment."""
    configure_logging("auth")
    settings = AuthSettings()
    app = build_app(settings, services(settings))
    serve_metrics(app, settings.metrics_port)
    return app


def build_app(settings: AuthSettings, parts: Services) -> Flask:
    """The application from the given parts."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY_BYTES
    registry = install_conventions(app, _ready(parts), TRANSLATIONS)
    metrics = AuthMetrics(registry, parts.ring)
    login = throttle(
        app,
        _login(Login(parts.accounts, parts.hasher, parts.guesses), parts.tokens, metrics),
        per_address=settings.login_limit_per_address,
        on_throttled=metrics.count_failed_login,
    )
    app.add_url_rule("/login", "login", login, methods=["POST"])
    app.add_url_rule("/validate", "validate", _validate(parts))
    app.add_url_rule("/.well-known/jwks.json", "jwks", _jwks(parts.tokens, settings.jwks_max_age_seconds))
    if settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask documents this way to wrap an application
    return app


def _ready(parts: Services) -> Callable[[], None]:
    def ready() -> None:
        parts.check_store()
        parts.ring.signing()

    return ready


def _login(login: Login, tokens: Tokens, metrics: AuthMetrics) -> View:
    def view() -> Response:
        with metrics.login_seconds.time():
            try:
                credentials = parse_basic(request.headers.get("Authorization"))
                account = login.authenticate(credentials, network(request.remote_addr or ""))
                token = tokens.issue(account.email)
            except AuthError as error:
                metrics.count_failed_login(error)
                raise
        metrics.count_login()
        _log.info("login_succeeded", owner=account.email)
        return _uncached(Response(token, content_type="text/plain; charset=utf-8"))

    return view


def _validate(parts: Services) -> View:
    def view() -> Response:
        claims = parts.tokens.verify(parse_bearer(request.headers.get("Authorization")))
        account = parts.accounts.find(claims["sub"])
        if account is None or account.disabled_at is not None:
            raise InvalidToken("The token's account may not be used any more.")
        return _uncached(jsonify(claims))

    return view


def _jwks(tokens: Tokens, max_age_seconds: int) -> View:
    def view() -> Response:
        response = jsonify(tokens.jwks())
        response.content_type = "application/jwk-set+json"
        response.cache_control.public = True
        response.cache_control.max_age = max_age_seconds
        return response

    return view


def _uncached(response: Response) -> Response:
    response.cache_control.no_store = True
    return response
