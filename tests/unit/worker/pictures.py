"""Pictures made by hand, whole and broken."""

import struct
import zlib


def a_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def a_png(width: int = 2, height: int = 2, *, depth: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    """Black; of a huge one only the first rows are there, since nobody here looks at them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(bytes((3 * min(width, 100) + 1) * min(height, 100)))
    chunks = a_chunk(b"IHDR", header), more, a_chunk(b"IDAT", pixels), a_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def a_segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def a_jpeg(width: int = 2, height: int = 2, *, more: bytes = b"", coded: bytes = b"\x12\xff\x00\xff\xd0\x34") -> bytes:
    """The segments of a JPEG; what is coded in its scan is no picture."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = a_segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + coded
    return b"\xff\xd8" + a_segment(0xE0, b"JFIF\0") + more + a_segment(0xC0, frame) + scan + b"\xff\xd9"
