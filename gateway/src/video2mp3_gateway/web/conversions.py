"""GET /conversions, GET and DELETE /conversions/NAME, POST /conversions/NAME/retry: an account's own Conversions."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.listing import Cursor, MalformedCursor
from video2mp3_gateway.ports.systems import ConversionClient, TokenVerifier
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.paging import page_limit
from video2mp3_gateway.web.parameters import takes
from video2mp3_gateway.web.representations import (
    Links,
    conversion_representation,
    page_representation,
    retry_representation,
)


def _now() -> datetime:
    return datetime.now(UTC)


def conversion_routes(
    tokens: TokenVerifier, conversions: ConversionClient, links: Links, clock: Callable[[], datetime] = _now
) -> Blueprint:
    """The routes."""
    routes = Blueprint("conversions", __name__)

    def own(name: str) -> Conversion:
        owner = authenticated_account(tokens)
        found = conversions.get(name)
        if found is None or found.spec.owner != owner:
            raise problems.not_found("conversion")
        return found

    @routes.get("/conversions")
    @takes("limit", "continue")
    def list_conversions() -> Response:
        owner = authenticated_account(tokens)
        limit = page_limit()
        page = conversions.newest(owner, limit, _position())
        return jsonify(page_representation(page, limit, links))

    @routes.get("/conversions/<name>")
    def show_conversion(name: str) -> Response:
        return jsonify(conversion_representation(own(name), links))

    @routes.post("/conversions/<name>/retry")
    def retry_conversion(name: str) -> Response:
        conversion = own(name)
        moment = clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        _retry(conversions, conversion, moment)
        response = jsonify(retry_representation(conversion, moment, links))
        response.status_code = 202
        response.headers["Location"] = links.conversion(name)
        return response

    @routes.delete("/conversions/<name>")
    def delete_conversion(name: str) -> Response:
        conversion = own(name)
        conversions.delete(conversion.metadata.name, conversion.metadata.uid)
        return Response(status=204)

    return routes


def _retry(conversions: ConversionClient, conversion: Conversion, moment: str) -> None:
    """Ask for it. Raises Problem."""
    if not _has_failed(conversion):
        raise problems.not_failed()
    if not conversions.retry(conversion.metadata.name, conversion.metadata.uid, moment):
        raise problems.not_found("conversion")


def _has_failed(conversion: Conversion) -> bool:
    """Whether the operator would try it anew."""
    verdicts = (each for each in conversion.status.conditions if each.type == ConditionType.FAILED)
    return conversion.metadata.deletion_timestamp is None and any(each.status == "True" for each in verdicts)


def _position() -> Cursor | None:
    token = request.args.get("continue")
    if not token:
        return None
    try:
        return Cursor.from_token(token)
    except MalformedCursor as error:
        detail = "The parameter 'continue' must be one that an earlier page gave."
        raise problems.bad_request("bad-parameter", detail) from error
