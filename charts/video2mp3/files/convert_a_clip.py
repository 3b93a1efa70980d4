"""What `helm test` runs: one short video through all nine steps, as a person would send it, and away again.

Uses the standard library and ffmpeg only, since it runs in the worker's image. Prints each step; any surprise ends it
with a traceback and a failed test.
"""

import base64
import json
import os
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

GATEWAY = os.environ["GATEWAY_URL"]
CLIP_SECONDS = 3
ANSWER_SECONDS = 60
CONVERSION_SECONDS = 240
CLIP = Path(os.environ.get("TMPDIR", "/tmp")) / "clip.mp4"  # noqa: S108 - the pod's own


def main() -> None:
    """Convert a clip and look at what comes back."""
    token = log_in(os.environ["ACCOUNT_EMAIL"], os.environ["ACCOUNT_PASSWORD"])
    uploaded = upload(make_clip(), token)
    try:
        finished = wait_for(uploaded["conversion"], token)
        check(download(finished["output"]["fileId"], token), finished["output"])
    finally:
        call("DELETE", f"/conversions/{uploaded['conversion']}", token)
        say("deleted it again")
    say("all nine steps work")


def make_clip() -> bytes:
    """A test picture with a tone."""
    sources = ("testsrc=size=128x96:rate=10", "sine=frequency=440")
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", *inputs, "-t", str(CLIP_SECONDS), "-y", str(CLIP)]
    subprocess.run(command, check=True, timeout=ANSWER_SECONDS)
    say(f"made a clip of {CLIP.stat().st_size} bytes")
    return CLIP.read_bytes()


def log_in(email: str, password: str) -> str:
    """A token for the first account."""
    credentials = base64.b64encode(f"{email}:{password}".encode()).decode()
    token = call("POST", "/login", headers={"Authorization": f"Basic {credentials}"}).decode()
    say(f"logged in as {email}")
    return token


def upload(clip: bytes, token: str) -> dict[str, str]:
    """Send the clip as a browser would; answers what the gateway says about it."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="helm-test.mp4"\r\n'
    body = head.encode() + b"Content-Type: video/mp4\r\n\r\n" + clip + f"\r\n--{boundary}--\r\n".encode()
    content_type = f"multipart/form-data; boundary={boundary}"
    answer: dict[str, str] = json.loads(call("POST", "/upload", token, {"Content-Type": content_type}, body))
    say(f"uploaded it: {answer['conversion']}")
    return answer


def wait_for(name: str, token: str) -> dict[str, dict[str, str]]:
    """The Conversion once it has succeeded."""
    deadline = time.monotonic() + CONVERSION_SECONDS
    before = ""
    while time.monotonic() < deadline:
        state = json.loads(call("GET", f"/conversions/{name}", token))
        if state["phase"] != before:
            say(f"it is {state['phase']} {state['message']}")
            before = state["phase"]
        if before == "Succeeded":
            found: dict[str, dict[str, str]] = state
            return found
        if before == "Failed":
            break
        time.sleep(1)
    raise SystemExit(f"the conversion did not succeed: {before} after at most {CONVERSION_SECONDS} s")


def download(file_id: str, token: str) -> bytes:
    """The mp3."""
    return call("GET", f"/download?fid={file_id}", token)


def check(mp3: bytes, output: dict[str, str]) -> None:
    """Raise SystemExit unless it is an mp3 of the clip's length."""
    frame_sync = mp3[:1] == b"\xff" and mp3[1] >= 0xE0
    if not (mp3[:3] == b"ID3" or frame_sync):
        raise SystemExit(f"what came back is no mp3: it begins with {mp3[:16]!r}")
    if len(mp3) != int(output["bytes"]):
        raise SystemExit(f"{len(mp3)} bytes came back, not {output['bytes']}")
    if abs(float(output["durationSeconds"]) - CLIP_SECONDS) > 0.2:
        raise SystemExit(f"the mp3 plays for {output['durationSeconds']} s, not {CLIP_SECONDS}")
    say(f"downloaded an mp3 of {len(mp3)} bytes")


def call(
    method: str, path: str, token: str = "", headers: dict[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """One request to the gateway; urllib raises for every answer that is an error."""
    wanted = {"Authorization": f"Bearer {token}"} | (headers or {}) if token else headers or {}
    request = urllib.request.Request(GATEWAY + path, body, wanted, method=method)  # noqa: S310 - the chart's address
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
        content: bytes = response.read()
    return content


def say(text: str) -> None:
    """Print a line of the test's log."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
