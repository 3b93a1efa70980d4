"""GET /mp3s, DELETE /mp3s/FILE_ID: an account's mp3s that outlived their Conversion."""

from flask import Blueprint, Response, jsonify, request

from video2mp3_contracts.api.conversion import is_file_id
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.systems import Mp3Store, StillShown, TokenVerifier
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.paging import page_limit
from video2mp3_gateway.web.parameters import takes
from video2mp3_gateway.web.representations import Links, kept_mp3_representation


def mp3_routes(tokens: TokenVerifier, mp3s: Mp3Store, links: Links) -> Blueprint:
    """The routes."""
    routes = Blueprint("mp3s", __name__)

    @routes.get("/mp3s")
    @takes("limit", "continue")
    def list_mp3s() -> Response:
        owner = authenticated_account(tokens)
        limit, position = page_limit(), request.args.get("continue", "")
        if position and not is_file_id(position):
            detail = "The parameter 'continue' must be one that an earlier page gave."
            raise problems.bad_request("bad-parameter", detail)
        return jsonify(kept_mp3_representation(mp3s.kept(owner, limit, position), limit, links))

    @routes.delete("/mp3s/<file_id>")
    def delete_mp3(file_id: str) -> Response:
        owner = authenticated_account(tokens)
        try:
            deleted = is_file_id(file_id) and mp3s.delete_kept(file_id, owner)
        except StillShown as error:
            raise problems.still_shown() from error
        if not deleted:
            raise problems.not_found("file")
        return Response(status=204)

    return routes
