"""③ GET /classes: the ConversionClasses that an upload may choose; and the one that an upload is of."""

from flask import Blueprint, Response, jsonify, request

from video2mp3_gateway.classes.catalogue import ClassCatalogue
from video2mp3_gateway.classes.known_classes import ClassOfUpload
from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.systems import TokenVerifier
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.representations import classes_representation

PARAMETER = "class"


def class_routes(tokens: TokenVerifier, catalogue: ClassCatalogue) -> Blueprint:
    """The route."""
    routes = Blueprint("classes", __name__)

    @routes.get("/classes")
    def list_classes() -> Response:
        authenticated_account(tokens)
        return jsonify(classes_representation(catalogue.known()))

    return routes


def class_of_upload(catalogue: ClassCatalogue) -> ClassOfUpload:
    """The class that the current request names, else the default one. Raises Problem for one that is not offered."""
    name = request.args.get(PARAMETER)
    if name is None:
        return ClassOfUpload(None, catalogue.default())
    known = catalogue.known()
    chosen = known.choose(name)
    if chosen is None:
        raise problems.class_not_offered(name, [each.name for each in known.offered])
    return ClassOfUpload(name, chosen)
