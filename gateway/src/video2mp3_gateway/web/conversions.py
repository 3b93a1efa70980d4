"""GET /conversions, GET and DELETE /conversions/NAME: an account's own Conversions."""

from flask import Blueprint, Response, jsonify, request

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.listing import Cursor, MalformedCursor
from video2mp3_gateway.ports.systems import ConversionClient, TokenVerifier
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.paging import page_limit
from video2mp3_gateway.web.parameters import takes
from video2mp3_gateway.web.representations import Links, conversion_representation, page_representation


def conversion_routes(tokens: TokenVerifier, conversions: ConversionClient, links: Links) -> Blueprint:
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

    @routes.delete("/conversions/<name>")
    def delete_conversion(name: str) -> Response:
        conversion = own(name)
        conversions.delete(conversion.metadata.name, conversion.metadata.uid)
        return Response(status=204)

    return routes


def _position() -> Cursor | None:
    token = request.args.get("continue")
    if not token:
        return None
    try:
        return Cursor.from_token(token)
    except MalformedCursor as error:
        detail = "The parameter 'continue' must be one that an earlier page gave."
        raise problems.bad_request("bad-parameter", detail) from error
