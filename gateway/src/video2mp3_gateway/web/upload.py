"""①②③ POST /upload: takes a video in and starts its conversion."""

from functools import partial

import structlog
from flask import Blueprint, Response, g, jsonify, request

from video2mp3_gateway.classes.catalogue import ClassCatalogue
from video2mp3_gateway.http import problems
from video2mp3_gateway.http.concurrency_limit import ConcurrencyLimit
from video2mp3_gateway.http.metrics import GatewayMetrics
from video2mp3_gateway.ports.systems import TokenVerifier
from video2mp3_gateway.upload.class_rules import check_output
from video2mp3_gateway.upload.continuation import invite_body
from video2mp3_gateway.upload.creation import Creation
from video2mp3_gateway.upload.multipart import boundary_of
from video2mp3_gateway.upload.upload_receiver import UploadReceiver
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.classes import PARAMETER, class_of_upload
from video2mp3_gateway.web.parameters import takes
from video2mp3_gateway.web.representations import Links, upload_representation

_log = structlog.get_logger(__name__)


def upload_routes(
    tokens: TokenVerifier,
    catalogue: ClassCatalogue,
    receiver: UploadReceiver,
    creation: Creation,
    links: Links,
    limit: ConcurrencyLimit,
    metrics: GatewayMetrics,
) -> Blueprint:
    """The route."""
    routes = Blueprint("upload", __name__)

    @routes.post("/upload")
    @takes(PARAMETER)
    def upload() -> Response:
        # All that the head alone decides comes before the body is asked for.
        owner = authenticated_account(tokens)
        decided = class_of_upload(catalogue)
        receiver.check_length(request.content_length)
        boundary = _boundary()
        with limit.hold(owner), metrics.upload():
            invite_body(request)
            video = receiver.receive(owner, request.stream.read, boundary, partial(check_output, decided=decided.holds))
            conversion = creation.create(owner, video, decided, g.request_id)
            metrics.upload_bytes.inc(video.source.size)
        name, file_id = conversion.metadata.name, video.source.file_id
        _log.info("upload_accepted", conversion=name, file_id=file_id, bytes=video.source.size)
        response = jsonify(upload_representation(conversion, video, creation.kept_seconds(decided), links))
        response.status_code = 202
        response.headers["Location"] = links.conversion(name)
        return response

    return routes


def _boundary() -> bytes:
    boundary = boundary_of(request.headers.get("Content-Type", ""))
    if boundary is None:
        raise problems.bad_request("no-file", "Send the video as multipart/form-data, as a file in the field 'file'.")
    return boundary
