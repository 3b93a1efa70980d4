"""How Conversions are lost, and uploads that nothing wants: for the rehearsals of a restore."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import gridfs
from bson import ObjectId
from pymongo import MongoClient

from video2mp3_contracts.ledger.storage import VIDEOS_DATABASE, FileMetadata


def lose_conversions(kubectl: Callable[..., str]) -> None:
    """They are gone with their cluster: nobody deletes them, and no operator sees them go.

    `kubectl` works in their namespace.
    """
    for item in json.loads(kubectl("get", "conversions", "--output", "json"))["items"]:
        name = item["metadata"]["name"]
        patch = '{"metadata": {"finalizers": []}}'
        kubectl("patch", "conversion", name, "--type=merge", "--patch", patch)
        kubectl("delete", "conversion", name)
    # What the garbage collector does where there is one.
    kubectl("delete", "jobs", "--all", "--cascade=background")


def store_unwanted(client: MongoClient[dict[str, Any]], owner: str, installation: str, moment: datetime) -> str:
    """An upload of that moment that no Conversion names; answers its id."""
    file_id = ObjectId(ObjectId.from_datetime(moment).binary[:4] + os.urandom(8))
    metadata = FileMetadata(owner=owner, content_type="video/mp4", installation=installation).as_document()
    bucket = gridfs.GridFSBucket(client[VIDEOS_DATABASE])
    bucket.upload_from_stream_with_id(file_id, "x.mp4", b"x", metadata=metadata)
    return str(file_id)
