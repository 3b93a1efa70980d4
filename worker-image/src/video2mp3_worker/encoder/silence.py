"""Silence before the audio: for audio that begins later than the picture. Pure."""

from video2mp3_worker.encoder.pieces import Read


def after_silence(read: Read, silence: int) -> Read:
    """Read so many bytes of noughts first, then what `read` gives."""
    left = silence

    def read_on(buffer: memoryview) -> int:
        nonlocal left
        if not left:
            return read(buffer)
        count = min(left, len(buffer))
        buffer[:count] = bytes(count)
        left -= count
        return count

    return read_on
