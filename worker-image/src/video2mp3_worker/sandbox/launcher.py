"""Starts ffmpeg or ffprobe in a process that can do little else. Run as a program, it never imports this package.

    python -I -S launcher.py KEY=VALUE... -- PROGRAM ARGUMENT...

It limits the process (rlimits), ties its life to the worker's, takes the file system away but for what is named
(Landlock, where the kernel has it), leaves it only the calls that are needed to read, compute, and write what is open
already (seccomp), and then becomes PROGRAM. Where nothing is named for it to write, it can open nothing for writing,
with Landlock or without. No privilege is needed for any of it. Sources: landlock(7), seccomp(2), linux/bpf_common.h.

It starts twice for each source: what takes long to import (pathlib, platform, typing) it does without.
"""

import ctypes
import errno
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    Instruction = tuple[int, int, int, int]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_NOT_STARTED = 126
_GRACE_SECONDS = 5
_STACK_BYTES = 8 * 1024**2

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

# AUDIT_ARCH by machine, in the order of the numbers below.
_MACHINES: dict[str, tuple[int, int]] = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# Every call that a program may make, with its numbers; None where a machine has none. Found by strace(1) on Debian 12
# and 13, for ffmpeg, ffprobe and the encoder, over every format and the broken files of the fuzz harness. What is not
# here is refused; of some, `_checks` looks at the arguments, too. See ADR 18.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    # Files that are open, or named. Most frequent first.
    "read": (0, 63), "write": (1, 64), "lseek": (8, 62), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "close": (3, 57), "openat": (257, 56), "fstat": (5, 80), "newfstatat": (262, 79), "stat": (4, None),
    "lstat": (6, None), "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17), "dup": (32, 23),
    "fcntl": (72, 25), "ioctl": (16, 29), "fadvise64": (221, 223), "poll": (7, None), "ppoll": (271, 73),
    "pselect6": (270, 72),
    # Memory, and threads of one's own.
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "madvise": (28, 233),
    "mlock": (149, 228), "brk": (12, 214), "futex": (202, 98), "clone": (56, 220), "set_robust_list": (273, 99),
    "rseq": (334, 293), "set_tid_address": (218, 96), "arch_prctl": (158, None), "prctl": (157, 167),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168), "exit": (60, 93),
    "exit_group": (231, 94), "execve": (59, 221),
    # Signals to oneself.
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "tgkill": (234, 131),
    # Times, and what one is.
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "nanosleep": (35, 101),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrandom": (318, 278),
    "getrusage": (98, 165), "getrlimit": (97, 163), "prlimit64": (302, 261), "sysinfo": (99, 179), "uname": (63, 160),
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177),
}  # fmt: skip

# From here on machines share their numbers. A libc that is told "no such call" goes on as on an older kernel: without
# clone3, whose flags a filter cannot see, it makes threads by clone.
_FIRST_OF_THE_NEW = 424
_X32 = 0x40000000

_OF_A_THREAD = 0x003D0F00  # exactly what libc asks clone for
_SHARED_OR_GROWING = 0x0101  # MAP_SHARED, also of nothing; MAP_GROWSDOWN, which RLIMIT_DATA does not count
_WRITING = 0o3
_MAKING = os.O_CREAT | os.O_TRUNC | 0o20000000  # __O_TMPFILE
_OWN_NAME_AND_RIGHTS = (15, 16, 23)  # PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ
_QUESTIONS = (0x5401, 0x802C542A, 0x5413, 0x5451)  # TCGETS, TCGETS2, TIOCGWINSZ, FIOCLEX
_FLAGS_OF_FILES = (0, 1, 2, 3, 4, 1030)  # F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC; F_SETOWN and F_SETSIG send signals

_LD_ABS, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE = (_RET, 0, 0, _ERRNO | errno.EPERM)
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data

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
    # The stack is no data to the kernel.
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES, _STACK_BYTES))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _landlock(
        [value for key, value in wanted if key == "read"],
        [value for key, value in wanted if key == "write"],
    )
    _seccomp(writes=any(key == "write" for key, _ in wanted))


def conceal() -> None:
    """Keep other processes of this user from reading this one's environment and memory. For the worker itself.

    Its children are of the same user, and /proc is open to them where the kernel has no Landlock. Source: proc(5).
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def landlock_version() -> int:
    """Which version of Landlock's interface the kernel has, from 1; 0 where it has none, or it is switched off."""
    version: int = _libc.syscall(
        _LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION_FLAG)
    )
    return max(0, version)


def _prctl(*arguments: int) -> None:
    if _libc.prctl(*[ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)][:5]):
        raise OSError(ctypes.get_errno(), "prctl")


def _landlock(readable: list[str], writable: list[str]) -> None:
    """Leave only the named files and folders. What a kernel without Landlock means, the worker decides before."""
    abi = landlock_version()
    if not abi:
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


def _seccomp(*, writes: bool) -> None:
    """Refuse with EPERM what is not listed: libraries that only try go on without it."""
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, "no filter for this machine")
    column, audit_arch = _MACHINES[machine]
    program = [
        (_LD_ABS, 0, 0, _ARCHITECTURE),
        (_JEQ, 1, 0, audit_arch),
        (_RET, 0, 0, _KILL),
        (_LD_ABS, 0, 0, _NUMBER),
        (_JGE, 0, 1, _X32),
        (_RET, 0, 0, _KILL),
    ]
    checked = _checks(writes=writes)
    for name, numbers in _CALLS.items():
        number, check = numbers[column], checked.get(name, [(_RET, 0, 0, _ALLOW)])
        if number is not None:
            program += [(_JEQ, 0, len(check), number), *check]
    program += [(_JGE, 0, 1, _FIRST_OF_THE_NEW), (_RET, 0, 0, _ERRNO | errno.ENOSYS), _REFUSE]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(header)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(buffer))


def _checks(*, writes: bool) -> "dict[str, list[Instruction]]":
    """What is asked of the arguments of a call; each ends with a verdict."""
    return {
        "openat": _without(2, _MAKING if writes else _MAKING | _WRITING),
        "mmap": _without(3, _SHARED_OR_GROWING),
        "clone": _only(0, _OF_A_THREAD),
        "tgkill": _only(0, os.getpid()),
        "prctl": _only(0, *_OWN_NAME_AND_RIGHTS),
        "ioctl": _only(1, *_QUESTIONS),
        "fcntl": _only(1, *_FLAGS_OF_FILES),
        # Ask for one's own limits: the process is 0, and there is no pointer to a new limit, in either half.
        "prlimit64": [
            *_loaded(0), (_JEQ, 1, 0, 0), _REFUSE,
            *_loaded(2), (_JEQ, 1, 0, 0), _REFUSE,
            (_LD_ABS, 0, 0, _ARGUMENTS + 8 * 2 + 4), (_JEQ, 1, 0, 0), _REFUSE,
            (_RET, 0, 0, _ALLOW),
        ],
    }  # fmt: skip


def _loaded(argument: int) -> "list[Instruction]":
    """Load the lower half of an argument, with which it begins: of numbers and flags all that the kernel looks at."""
    return [(_LD_ABS, 0, 0, _ARGUMENTS + 8 * argument)]


def _only(argument: int, *values: int) -> "list[Instruction]":
    allowed = [step for value in values for step in ((_JEQ, 0, 1, value), (_RET, 0, 0, _ALLOW))]
    return [*_loaded(argument), *allowed, _REFUSE]


def _without(argument: int, flags: int) -> "list[Instruction]":
    return [*_loaded(argument), (_JSET, 0, 1, flags), _REFUSE, (_RET, 0, 0, _ALLOW)]


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"launcher: {error}\n")
        sys.exit(_NOT_STARTED)
