"""The tutorials' converter, as they have it: one message, the whole video in memory, a temporary file, moviepy.

    python tutorial.py MONGODB_URI RABBITMQ_URL

Takes one message from the queue `video`, then ends.
"""

import json
import sys
import tempfile
from pathlib import Path

import gridfs
import pika
from bson import ObjectId
from moviepy import VideoFileClip
from pymongo import MongoClient


def convert(body: bytes, videos: gridfs.GridFS, mp3s: gridfs.GridFS) -> dict[str, str]:
    """Make the mp3 of the video that a message names; answer the message for the next queue."""
    message: dict[str, str] = json.loads(body)
    with tempfile.NamedTemporaryFile(suffix=".mp4") as video:
        video.write(videos.get(ObjectId(message["video_fid"])).read())
        video.flush()
        mp3 = Path(tempfile.gettempdir(), f"{message['video_fid']}.mp3")
        with VideoFileClip(video.name) as clip:
            clip.audio.write_audiofile(str(mp3), logger=None)
    message["mp3_fid"] = str(mp3s.put(mp3.read_bytes()))
    mp3.unlink()
    return message


def main() -> None:
    """Consume one message."""
    client: MongoClient[dict[str, object]] = MongoClient(sys.argv[1])
    videos, mp3s = gridfs.GridFS(client["videos"]), gridfs.GridFS(client["mp3s"])
    connection = pika.BlockingConnection(pika.URLParameters(sys.argv[2] + "?heartbeat=0"))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    print("ready", flush=True)
    for method, _properties, body in channel.consume("video"):
        answer = json.dumps(convert(body, videos, mp3s)).encode()
        persistent = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
        channel.basic_publish("", "mp3-of-tutorial", answer, persistent)
        channel.basic_ack(method.delivery_tag)
        break
    connection.close()


if __name__ == "__main__":
    main()
