"""② A video stored by the command, into a real store."""

import os
import subprocess
import sys

import gridfs
from bson import ObjectId

from tests.integration.gateway.conftest import ALICE, Installation
from tests.integration.gateway.gateway_server import status_bytes

MEBIBYTE = 1024**2
MEMORY_BYTES = 90 * MEBIBYTE
BLOCKS = 150


def test_it_is_stored_as_an_upload_would_be_in_little_memory(installation: Installation) -> None:
    block = os.urandom(MEBIBYTE)
    command = [sys.executable, "-m", "video2mp3_gateway.app.cli", "store", "--owner", ALICE, "talk.mp4"]
    environment = dict(os.environ) | dict(installation.gateway.environment())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        for _ in range(BLOCKS):
            process.stdin.write(block)
        peak = status_bytes(process.pid, "VmHWM")
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert peak < MEMORY_BYTES
    with gridfs.GridFSBucket(installation.videos).open_download_stream(ObjectId(printed.decode().strip())) as stored:
        assert (stored.filename, stored.length) == ("talk.mp4", BLOCKS * MEBIBYTE)
        assert all(stored.read(MEBIBYTE) == block for _ in range(BLOCKS))
    [file] = installation.videos.fs.files.find()
    assert file["metadata"].keys() == {"owner", "contentType", "kind", "sha256", "uploadedAt"}
    assert (file["metadata"]["owner"], file["metadata"]["contentType"]) == (ALICE, "video/mp4")
