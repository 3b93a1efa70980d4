"""What a query may hold: a parameter that nothing reads is an error of who sent it, and is told."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app, request

from video2mp3_gateway.http import problems

_KNOWN: Final = "parameters"
_SHOWN: Final = 50
_View = TypeVar("_View", bound=Callable[..., Any])


def takes(*names: str) -> Callable[[_View], _View]:
    """Marks a view with the parameters that it reads."""

    def mark(view: _View) -> _View:
        setattr(view, _KNOWN, names)
        return view

    return mark


def install_check(app: Flask) -> None:
    """Refuse other parameters, and one that comes twice. The web page takes what mail programs add to its address."""
    app.before_request(_check)


def _check() -> None:
    if request.blueprint in (None, "page"):
        return
    known: tuple[str, ...] = getattr(current_app.view_functions[request.endpoint or ""], _KNOWN, ())
    for name, values in request.args.lists():
        if name not in known:
            raise problems.unknown_parameter(name[:_SHOWN], known)
        if len(values) > 1:
            raise problems.bad_request("bad-parameter", f"The parameter '{name}' may come only once.")
