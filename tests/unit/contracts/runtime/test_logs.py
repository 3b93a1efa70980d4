"""Every line says which service wrote it."""

import json
import subprocess
import sys

# In a process of its own: logging is configured once, for all.
_PROGRAM = """
import logging, threading, structlog
from video2mp3_contracts.runtime.logs import configure_logging
configure_logging("auth")
def work():
    structlog.get_logger("ours").info("something_happened", owner="me@example.com")
    logging.getLogger("theirs").info("something else")
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_lines_are_json_with_the_service_whoever_writes_them_in_any_thread() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    ours, theirs = (json.loads(line) for line in done.stderr.splitlines())
    assert (ours["service"], ours["event"], ours["owner"]) == ("auth", "something_happened", "me@example.com")
    assert (theirs["service"], theirs["event"], theirs["level"]) == ("auth", "something else", "info")


_FAILING_PROGRAM = """
import logging, structlog
from video2mp3_contracts.runtime.logs import configure_logging
configure_logging("auth")
password = "hunter" + "2"
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("failed")
    logging.getLogger("theirs").exception("failed")
"""


def test_tracebacks_say_where_and_never_show_variables() -> None:
    command = [sys.executable, "-c", _FAILING_PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    for line in done.stderr.splitlines():
        (error,) = json.loads(line)["exception"]
        assert error["exc_type"] == "ZeroDivisionError"
        assert error["frames"][0]["lineno"] == 7
    assert "hunter2" not in done.stderr
