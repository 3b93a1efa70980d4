"""The web application: puts the parts together. gunicorn calls `create_app`; tests call `build_app` with fakes."""

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_contracts.runtime.web import Translations, install_conventions, serve_metrics
from video2mp3_gateway.app import bootstrap
from video2mp3_gateway.app.bootstrap import Ports
from video2mp3_gateway.app.readiness import Readiness
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_gateway.classes.catalogue import ClassCatalogue
from video2mp3_gateway.http import problems
from video2mp3_gateway.http.concurrency_limit import ConcurrencyLimit, LimitReached
from video2mp3_gateway.http.metrics import GatewayMetrics
from video2mp3_gateway.ports.systems import DependencyUnavailable, FileVanished
from video2mp3_gateway.server.capacity import (
    MAX_DOWNLOADS,
    MAX_DOWNLOADS_PER_ACCOUNT,
    MAX_UPLOADS,
    MAX_UPLOADS_PER_ACCOUNT,
)
from video2mp3_gateway.server.drain import EXTENSION, Drain
from video2mp3_gateway.upload.creation import Creation
from video2mp3_gateway.upload.upload_receiver import UploadLimits, UploadReceiver
from video2mp3_gateway.web.classes import class_routes
from video2mp3_gateway.web.conversions import conversion_routes
from video2mp3_gateway.web.download import download_routes
from video2mp3_gateway.web.login import login_routes
from video2mp3_gateway.web.mp3s import mp3_routes
from video2mp3_gateway.web.page import page_routes
from video2mp3_gateway.web.parameters import install_check
from video2mp3_gateway.web.representations import Links
from video2mp3_gateway.web.upload import upload_routes

_TRANSLATIONS: Translations = {
    DependencyUnavailable: problems.dependency_unavailable,
    LimitReached: problems.limit_reached,
    FileVanished: problems.file_vanished,
}


def create_app() -> Flask:
    """The application with the real systems, set up by the environment."""
    settings = GatewaySettings()
    configure_logging("gateway", settings.log_level)
    app = build_app(settings, bootstrap.connect(settings))
    serve_metrics(app, settings.metrics_port)
    return app


def build_app(settings: GatewaySettings, ports: Ports) -> Flask:
    """The application with these systems behind it."""
    app = Flask("video2mp3_gateway", static_folder=None)
    metrics = GatewayMetrics(install_conventions(app, _readiness(ports).check, _TRANSLATIONS))
    _install_routes(app, settings, ports, metrics)
    install_check(app)
    app.after_request(_with_safe_headers)
    if settings.trusted_proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxy_count, x_proto=0, x_host=0)  # type: ignore[method-assign]
    return app


def _readiness(ports: Ports) -> Readiness:
    return Readiness({"auth": ports.tokens.ping, "mongodb": ports.sources.ping, "kubernetes": ports.conversions.ping})


def _install_routes(app: Flask, settings: GatewaySettings, ports: Ports, metrics: GatewayMetrics) -> None:
    links = Links(settings.public_url)
    uploads = ConcurrencyLimit(MAX_UPLOADS, MAX_UPLOADS_PER_ACCOUNT)
    downloads = ConcurrencyLimit(MAX_DOWNLOADS, MAX_DOWNLOADS_PER_ACCOUNT)
    metrics.watch_running("upload", lambda: uploads.taken)
    metrics.watch_running("download", lambda: downloads.taken)
    metrics.watch_cache(lambda: ports.conversions.state)
    catalogue = ClassCatalogue(ports.classes, settings.instance)
    drain = app.extensions[EXTENSION] = Drain()
    receiver = UploadReceiver(ports.sources, UploadLimits(settings.max_upload_bytes, settings.upload_seconds), drain)
    creation = Creation(ports.conversions, ports.sources, settings.conversion_namespace, settings.ttl_seconds)
    app.register_blueprint(page_routes())
    app.register_blueprint(login_routes(ports.logins, metrics))
    app.register_blueprint(upload_routes(ports.tokens, catalogue, receiver, creation, links, uploads, metrics))
    app.register_blueprint(class_routes(ports.tokens, catalogue))
    app.register_blueprint(conversion_routes(ports.tokens, ports.conversions, links))
    app.register_blueprint(mp3_routes(ports.tokens, ports.mp3s, links))
    app.register_blueprint(download_routes(ports.tokens, ports.mp3s, downloads, metrics))


def _with_safe_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
