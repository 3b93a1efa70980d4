"""Starts ffmpeg or ffprobe in a process that can do little else. Run as a program, it never imports this package.

    python -I -S launcher.py KEY=VALUE... -- PROGRAM ARGUMENT...

It limits the process (rlimits), ties its life to the worker's, takes the file system away but for what is named
(Landlock, where the kernel has it), takes away the network and every way to reach another process (seccomp), and then
becomes PROGRAM. No privilege is needed for any of it. Sources: landlock(7), seccomp(2), linux/bpf_common.h.

It starts twice for each source: what takes long to import (pathlib, platform, typing) it does without.
"""

import ctypes
import errno
import itertools
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_NOT_STARTED = 126
_GRACE_SECONDS = 5

_RLIMITS = {
    "cpu_seconds": resource.RLIMIT_CPU,
    "data_bytes": resource.RLIMIT_DATA,
    "file_bytes": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
}

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE = 1 << 14
_RIGHTS_OF_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NETWORK_RIGHTS = 3
_SCOPES = 3

# The calls that are refused, by machine: first AUDIT_ARCH and the number of clone, then sockets; other processes (fork,
# kill, ptrace, process_vm_*, pidfd_*); namespaces and mounts; keys, modules, kexec, perf, file handles, bpf,
# userfaultfd, io_uring.
_MACHINES: dict[str, tuple[int, int, tuple[tuple[int, ...], ...]]] = {
    "x86_64": (
        0xC000003E,
        56,
        (
            (41, 42, 43, 44, 45, 46, 47, 49, 50, 53, 288, 299, 307),
            (57, 58, 62, 101, 129, 200, 297, 310, 311, 424, 434, 438),
            (155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 442),
            (175, 176, 246, 248, 249, 250, 298, 303, 304, 313, 320, 321, 323, 425, 426, 427),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (
            (198, 199, 200, 201, 202, 203, 206, 207, 211, 212, 242, 243, 269),
            (117, 129, 130, 138, 240, 270, 271, 424, 434, 438),
            (39, 40, 41, 51, 97, 268, 428, 429, 430, 431, 432, 433, 442),
            (104, 105, 106, 217, 218, 219, 241, 264, 265, 273, 280, 282, 294, 425, 426, 427),
        ),
    ),
}
_CLONE3 = 435
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000

_LD_ABS, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> "NoReturn":
    """Confine this process as the KEY=VALUE arguments say, then become the program after `--`."""
    separator = arguments.index("--")
    program = arguments[separator + 1 :]
    confine(arguments[:separator])
    os.execv(program[0], program)  # noqa: S606 - becoming the program is the point


def confine(arguments: list[str]) -> None:
    """Confine this process as the KEY=VALUE arguments say. Raises OSError."""
    wanted = [argument.split("=", 1) for argument in arguments]
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    for key, value in wanted:
        if key == "parent" and os.getppid() != int(value):
            raise OSError(errno.ESRCH, "the worker is gone")
        if key in _RLIMITS:
            # The soft limit of processor time tells the program why it ends, the hard one makes sure that it does.
            resource.setrlimit(
                _RLIMITS[key], (int(value), int(value) + (_GRACE_SECONDS if key == "cpu_seconds" else 0))
            )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _landlock(
        [value for key, value in wanted if key == "read"],
        [value for key, value in wanted if key == "write"],
    )
    _seccomp()


def conceal() -> None:
    """Keep other processes of this user from reading this one's environment and memory. For the worker itself.

    Its children are of the same user, and /proc is open to them where the kernel has no Landlock. Source: proc(5).
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(*arguments: int) -> None:
    if _libc.prctl(*[ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)][:5]):
        raise OSError(ctypes.get_errno(), "prctl")


def _landlock(readable: list[str], writable: list[str]) -> None:
    """Leave only the named files and folders. Kernels without Landlock say so, and are let be."""
    abi = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION_FLAG))
    if abi < 1:
        return
    handled = _RIGHTS_OF_ABI[max(known for known in _RIGHTS_OF_ABI if known <= abi)]
    attributes = struct.pack("QQQ", handled, _NETWORK_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)[
        : 24 if abi >= 6 else 16 if abi >= 4 else 8
    ]
    ruleset = _libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for path in readable:
        folder = os.path.isdir(path)  # noqa: PTH112 - without pathlib
        rights = _EXECUTE | _READ_FILE | _READ_DIR if folder else _EXECUTE | _READ_FILE
        _allow(ruleset, path, rights & handled)
    for path in writable:
        _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled)
    if _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    rule = struct.pack("=Qi", rights, descriptor)
    if _libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, ctypes.c_uint32(0)):
        raise OSError(ctypes.get_errno(), "landlock_add_rule " + path)
    os.close(descriptor)


def _seccomp() -> None:
    """Refuse what the filter lists with EPERM: libraries that only try go on without it."""
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, "no filter for this machine")
    audit_arch, clone, refused = _MACHINES[machine]
    program = [
        (_LD_ABS, 0, 0, 4),  # the architecture
        (_JEQ, 1, 0, audit_arch),
        (_RET, 0, 0, _KILL),
        (_LD_ABS, 0, 0, 0),  # the call's number
        (_JGE, 0, 1, _X32),
        (_RET, 0, 0, _KILL),
        # clone3 keeps its flags out of a filter's sight; without it libc takes clone, which may only make threads.
        (_JEQ, 0, 1, _CLONE3),
        (_RET, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in itertools.chain.from_iterable(refused):
        program += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ERRNO | errno.EPERM)]
    program += [
        (_JEQ, 0, 3, clone),
        (_LD_ABS, 0, 0, 16),  # the first argument
        (_JSET, 1, 0, _CLONE_THREAD),
        (_RET, 0, 0, _ERRNO | errno.EPERM),
        (_RET, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(header)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(buffer))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"launcher: {error}\n")
        sys.exit(_NOT_STARTED)
