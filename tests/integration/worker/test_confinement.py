"""What a child of the worker cannot do, tried from inside a child."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import ST_INO, ST_MODE, ST_MTIME

import pytest

from tests.integration.worker import without_landlock
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement, Ended
from video2mp3_worker.processes.failures import refuse_if_killed

_AS_IN_A_POD = """
import ctypes, os, sys
if os.geteuid() == 0:
    # CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON look into others; a worker and its children have none of them.
    assert not any(ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) for capability in (19, 21, 38))
os.execv(sys.argv[1], sys.argv[1:])
"""
_INTERPRETER = (Path(sys.base_prefix), Path(sys.prefix))


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ended, str]]:
    """Run Python code as a child; answer how it ended and what it printed."""
    monkeypatch.setitem(child._ENVIRONMENT, "PATH", str(Path(sys.executable).parent))
    monkeypatch.setenv("WORKER_MONGODB_URI", "mongodb://root:secret@example.org/")

    def run(code: str, watch: Callable[[], None] = lambda: None, **changes: object) -> tuple[Ended, str]:
        printed = bytearray()
        wanted = {"reads": _INTERPRETER} | changes
        command = [Path(sys.executable).name, "-I", "-c", code]
        ended = child.run(command, Confinement(**wanted), output=printed.extend, watch=watch)  # type: ignore[arg-type]
        return ended, printed.decode()

    return run


def test_a_child_may_read_and_write_what_is_named(ask: Callable[..., tuple[Ended, str]], tmp_path: Path) -> None:
    source, result = tmp_path / "source", tmp_path / "result"
    source.write_text("sound")
    result.touch()

    ended, _ = ask(
        f"open({str(result)!r}, 'r+').write(open({str(source)!r}).read())",
        reads=(*_INTERPRETER, source),
        writes=(result,),
        file_bytes=100,
    )

    assert ended.status == 0, ended.complaint
    assert result.read_text() == "sound"


_RAW = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
name = ctypes.create_string_buffer(b"/x")
def call(function, *arguments):
    if getattr(libc, function)(*map(ctypes.c_long, arguments)) == -1:
        raise OSError(ctypes.get_errno(), function)
"""
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}.get(os.uname().machine, -1)
_FORBIDDEN = {
    "a socket": "import socket; socket.socket()",
    "a pair of sockets": "import socket; socket.socketpair()",
    "a process": "import os; os.fork()",
    "another program": "import subprocess; subprocess.run(['/usr/bin/true'])",
    "to signal the worker": "import os; os.kill(os.getppid(), 0)",
    "to have the kernel signal the worker": "import fcntl, os; fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "to signal a thread of the worker": _RAW + "call('tgkill', os.getppid(), os.getppid(), 0)",
    "to trace the worker": _RAW + "call('ptrace', 16, os.getppid(), 0, 0)",
    "the worker's memory": _RAW + "call('process_vm_readv', os.getppid(), 0, 0, 0, 0, 0)",
    "the worker's limits": _RAW + "call('prlimit', os.getppid(), 7, ctypes.addressof((ctypes.c_long * 2)(9, 9)), 0)",
    "to ask for the worker's limits": _RAW + "call('prlimit', os.getppid(), 7, 0, id(os))",
    "limits of its own": _RAW + "call('prlimit', 0, 7, ctypes.addressof((ctypes.c_long * 2)(9, 9)), 0)",
    "the worker's priority": "import os; os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "the worker's processors": "import os; os.sched_setaffinity(os.getppid(), {0})",
    "the worker's turn at the disk": _RAW + f"call('syscall', {_IOPRIO_SET}, 1, os.getppid(), 0)",
    "to outlive the worker": _RAW + "call('prctl', 1, 0, 0, 0, 0)",
    "a session of its own": "import os; os.setsid()",
    "memory that is shared": "import mmap; mmap.mmap(-1, 900_000_000)",
    "memory that grows": "import mmap; mmap.mmap(-1, 10**9, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)",
    "memory with a name": "import os; os.memfd_create('x')",
    "shared memory of System V": _RAW + "call('shmget', 0, 4096, 0o1600)",
    "a queue of System V": _RAW + "call('msgget', 0, 0o1600)",
    "a semaphore of System V": _RAW + "call('semget', 0, 1, 0o1600)",
    "a queue of POSIX": _RAW + "call('mq_open', ctypes.addressof(name), 66, 0, 0)",
    "a user namespace": _RAW + "call('unshare', 0x10000000)",
    "to open for writing": "open({victim!r}, 'r+')",
    "to empty by opening": "import os; os.open({victim!r}, os.O_RDONLY | os.O_TRUNC)",
    "to cut off": "import os; os.truncate({victim!r}, 0)",
    "to rename": "import os; os.rename({victim!r}, {victim!r} + '.old')",
    "to replace": "import os; os.replace({victim!r}, {victim!r} + '.old')",
    "to remove": "import os; os.unlink({victim!r})",
    "another name": "import os; os.link({victim!r}, {victim!r} + '.new')",
    "a symbolic link": "import os; os.symlink({victim!r}, {victim!r} + '.new')",
    "a file": "open({victim!r} + '.new', 'w')",
    "a file without a name": "import os; os.open(os.path.dirname({victim!r}), os.O_TMPFILE | os.O_RDWR)",
    "a file in shared memory": "open('/dev/shm/' + os.path.basename({victim!r}), 'w')",
    "a folder": "import os; os.mkdir({victim!r} + '.new')",
    "rights on a file": "import os; os.chmod({victim!r}, 0o777)",
    "times on a file": "import os; os.utime({victim!r}, (1, 1))",
    "attributes of a file": "import os; os.setxattr({victim!r}, 'user.x', b'y')",
}  # fmt: skip
"""What is not allowed, with Landlock or without, and code that tries it."""

_FORBIDDEN_BY_LANDLOCK = {
    "a file that is not named": "open({victim!r})",
    "the names in a folder": "import os; os.listdir(os.path.dirname({victim!r}))",
    "the users": "open('/etc/passwd')",
    "the worker's environment": "import os; open(f'/proc/{{os.getppid()}}/environ')",
}
interpreter = child._interpreter


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file that any process of this user could change; it must be as it was at the end."""
    path = tmp_path / "victim"
    path.write_text("the mp3")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_text() == "the mp3"
    assert [after[at] for at in (ST_INO, ST_MODE, ST_MTIME)] == [before[at] for at in (ST_INO, ST_MODE, ST_MTIME)]
    assert list(tmp_path.iterdir()) == [path]


def refused(ask: Callable[..., tuple[Ended, str]], code: str, victim: Path) -> None:
    ended, _ = ask("import os\n" + code.replace("{victim!r}", repr(str(victim))).replace("{{", "{").replace("}}", "}"))

    assert ended.status == 1, ended.complaint
    assert "PermissionError" in ended.messages[-1] or "not permitted" in ended.messages[-1]


@pytest.mark.parametrize("wanted", [*_FORBIDDEN, *_FORBIDDEN_BY_LANDLOCK])
def test_a_child_can_do_nothing_else(ask: Callable[..., tuple[Ended, str]], victim: Path, wanted: str) -> None:
    refused(ask, (_FORBIDDEN | _FORBIDDEN_BY_LANDLOCK)[wanted], victim)


@pytest.mark.parametrize("wanted", _FORBIDDEN)
def test_without_landlock_it_can_do_little_more(
    ask: Callable[..., tuple[Ended, str]], monkeypatch: pytest.MonkeyPatch, victim: Path, wanted: str
) -> None:
    monkeypatch.setattr(child, "_interpreter", lambda file: (*without_landlock.COMMAND, *interpreter(file)))

    refused(ask, _FORBIDDEN[wanted], victim)


def test_without_landlock_it_can_read_what_the_worker_can(
    ask: Callable[..., tuple[Ended, str]], monkeypatch: pytest.MonkeyPatch, victim: Path
) -> None:
    """So the tests above try what they say; and this is why a missing Landlock is told."""
    monkeypatch.setattr(child, "_interpreter", lambda file: (*without_landlock.COMMAND, *interpreter(file)))

    assert ask(f"print(open({str(victim)!r}).read())")[1] == "the mp3\n"


def test_a_call_that_libc_only_tries_is_one_that_the_kernel_does_not_have(
    ask: Callable[..., tuple[Ended, str]],
) -> None:
    """Libraries of tomorrow try what this list does not know, and go on as on an older kernel."""
    code = "for n in (435, 449, 462, 470): libc.syscall(n, 0, 0, 0); print(os.strerror(ctypes.get_errno()))"

    ended, printed = ask(_RAW + code)

    assert printed.splitlines() == ["Function not implemented"] * 4, ended.complaint


def test_a_child_has_as_much_memory_as_it_may_and_no_more(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, _ = ask("x = bytearray(10**9)")

    assert ended.messages[-1].endswith("MemoryError")


def test_a_child_with_thousands_of_threads_is_ended(ask: Callable[..., tuple[Ended, str]]) -> None:
    code = """
import threading, time
threading.stack_size(32_768)
for _ in range(3000):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)
"""
    with pytest.raises(Refused, match="more threads") as error:
        ask(code)

    assert error.value.reason is Reason.LIMIT_EXCEEDED


def test_ffmpeg_says_by_nothing_but_its_time_that_it_is_over() -> None:
    """It takes the signal for a wish to stop, and ends as it would for that."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=d=1000000", "-f", "null", "-"]
    confinement = Confinement(reads=(), cpu_seconds=1)

    ended = child.run(command, confinement, output=lambda _: None, watch=lambda: None)

    assert (ended.status > 0, ended.is_spent) == (True, True), ended.complaint
    with pytest.raises(Refused, match="more processor time"):
        refuse_if_killed(ended)


def test_a_child_may_start_threads(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, printed = ask("import threading; t = threading.Thread(target=print, args=('here',)); t.start(); t.join()")

    assert (ended.status, printed) == (0, "here\n"), ended.complaint


def test_a_child_knows_none_of_the_workers_secrets(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, printed = ask("import os; print(dict(os.environ))")

    assert ended.status == 0
    assert "secret" not in printed


@pytest.mark.parametrize(
    ("code", "readable"),
    [("from video2mp3_worker.app.main import main; main()", False), ("", True)],
    ids=["worker", "other"],
)
def test_no_process_of_the_same_user_reads_the_workers_environment(code: str, readable: bool) -> None:
    """Also not where the kernel has no Landlock. Without a request the worker ends at once, but for what is asked."""
    as_in_a_pod = (sys.executable, "-c", _AS_IN_A_POD)
    secrets = {
        "WORKER_MONGODB_URI": "mongodb://root:secret@example.org/",
        "WORKER_TERMINATION_MESSAGE_PATH": os.devnull,
    }
    keeper = subprocess.Popen(
        [*as_in_a_pod, sys.executable, "-c", f"{code}\nprint('ready', flush=True); input()"],
        env=secrets,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        reading = [*as_in_a_pod, "/bin/cat", f"/proc/{keeper.pid}/environ"]
        read = subprocess.run(reading, capture_output=True, text=True, check=False)
        keeper.kill()

    assert ("secret" in read.stdout) is readable
    assert ("Permission denied" in read.stderr) is not readable


def test_a_child_cannot_write_more_than_it_may(ask: Callable[..., tuple[Ended, str]], tmp_path: Path) -> None:
    result = tmp_path / "result"
    result.touch()

    ended, _ = ask(
        f"f = open({str(result)!r}, 'wb'); f.write(bytes(1000)); f.close()", writes=(result,), file_bytes=100
    )

    assert ended.status != 0
    assert result.stat().st_size <= 100


def test_a_child_that_computes_for_too_long_is_ended(ask: Callable[..., tuple[Ended, str]]) -> None:
    ended, _ = ask("while True: pass", cpu_seconds=1)

    assert (ended.status < 0, ended.is_spent) == (True, True)


def test_what_the_watch_raises_ends_the_child(ask: Callable[..., tuple[Ended, str]]) -> None:
    def watch() -> None:
        raise TryAgain(Reason.STOPPED, "Stop.")

    with pytest.raises(TryAgain, match="Stop"):
        ask("import time; time.sleep(600)", watch=watch)


def test_a_program_that_is_not_there_is_an_attempt_to_repeat() -> None:
    with pytest.raises(TryAgain, match="not installed"):
        child.run(["no-such-program"], Confinement(reads=()), output=lambda _: None, watch=lambda: None)
