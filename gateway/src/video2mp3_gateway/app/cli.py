"""② The command `video2mp3-gateway`: stores a video without an upload, for whoever writes Conversions by hand.

As an upload does, it passes the video on in pieces, and leaves nothing when it does not come to its end.
"""

import argparse
import mimetypes
import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO, Final

from pydantic import ValidationError

from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_gateway.app import file_stores
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_gateway.ports.systems import DependencyUnavailable, SourceStore
from video2mp3_gateway.upload.filenames import display_name

_PIECE_BYTES: Final = 256 * 1024
_ANY_TYPE: Final = "application/octet-stream"

_QUIET_SECONDS: Final = 10.0
"""Whoever sends a video that nobody wants is believed to have stopped after so long without a byte."""

Connect = Callable[[GatewaySettings], SourceStore]


def _sources(settings: GatewaySettings) -> SourceStore:
    return file_stores.connect(settings).sources


def main(arguments: Sequence[str] | None = None, video: BinaryIO | None = None, connect: Connect = _sources) -> int:
    """Run the command; answers the exit code: 0 done, 1 not done (standard error says why), 2 wrong usage."""
    video = video or (sys.stdin.buffer if sys.stdin else None)  # None where it is closed
    unwanted = video
    try:
        return _run(arguments, video, connect)
    except (KeyboardInterrupt, SystemExit) as ending:
        if isinstance(ending, KeyboardInterrupt) or not ending.code:
            unwanted = None  # Ctrl-C and --help: a person is there, who wants to go on.
        raise
    finally:
        # `kubectl exec --stdin` waits until all that it sends is read, also where nobody wants it any more.
        if unwanted is not None:
            _drain(unwanted)


def _run(arguments: Sequence[str] | None, video: BinaryIO | None, connect: Connect) -> int:
    parsed = _parser().parse_args(arguments)
    configure_logging("gateway", level="WARNING")
    try:
        sources = connect(GatewaySettings())
        file_id = _store(sources, video, parsed.owner, parsed.filename)
    except ValidationError as error:
        return _fail(of_variables(error, "GATEWAY_"))
    except DependencyUnavailable as error:
        return _fail(f"{error}. Nothing was stored.")
    if file_id is None:
        return _fail("Nothing came on standard input: give the video there, with `kubectl exec --stdin`.")
    sys.stdout.write(f"{file_id}\n")
    return 0


def _drain(video: BinaryIO) -> None:
    """Read the rest, as long as some comes; a person at a terminal is not asked for any."""
    if video.isatty():
        return
    # Below the buffer, which would wait for a whole piece.
    while select.select([video], [], [], _QUIET_SECONDS)[0] and os.read(video.fileno(), _PIECE_BYTES):
        pass


def _store(sources: SourceStore, video: BinaryIO | None, owner: str, filename: str) -> str | None:
    """Store all of the video; answers its file's id, None where there is nothing to store."""
    if video is None or not (piece := video.read(_PIECE_BYTES)):
        return None
    content_type = mimetypes.guess_type(filename)[0] or _ANY_TYPE
    with sources.begin(owner, display_name(filename), content_type) as upload:
        while piece:
            upload.write(piece)
            piece = video.read(_PIECE_BYTES)
        return upload.finish().file_id


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="video2mp3-gateway",
        description="Videos for Conversions that are written by hand.",
        epilog="The store comes from the variables GATEWAY_…, as for the service: run it in its pod.",
    )
    commands = parser.add_subparsers(required=True)
    summary = "Store the video on standard input, and print its file's id."
    store = commands.add_parser("store", help=summary, description=summary)
    store.add_argument("filename", help="what the video is called")
    store.add_argument("--owner", default="", help="whose it is: the account in spec.owner; nobody's by default")
    return parser


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
