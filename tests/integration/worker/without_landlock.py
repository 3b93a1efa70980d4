"""Starts a program on a kernel without Landlock: a filter answers for it that there is no such call. seccomp(2).

python without_landlock.py PROGRAM ARGUMENT...
"""

import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Final

COMMAND: Final = (sys.executable, "-I", "-S", str(Path(__file__)))
"""To stand before the program."""

_CALLS = (444, 445, 446)
_LD_ABS, _JGE, _RET = 0x20, 0x35, 0x06
_ENOSYS, _ALLOW = 0x00050026, 0x7FFF0000


def main() -> None:
    """Install the filter and become the program."""
    steps = [(_LD_ABS, 0, 0, 0), (_JGE, 0, 2, _CALLS[0]), (_JGE, 1, 0, _CALLS[-1] + 1), (_RET, 0, 0, _ENOSYS)]
    steps.append((_RET, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
