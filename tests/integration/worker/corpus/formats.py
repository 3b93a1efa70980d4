"""Formats that are rare today, but fill archives."""

from pathlib import Path

from tests.integration.worker.corpus.making import film, tone, written


def wav_g726(path: Path) -> None:
    """Telephony and door cameras: ADPCM after G.726."""
    written(path, "wav", *tone(3, rate=8000), "-c:a", "g726", "-b:a", "32k")


def mxf(path: Path) -> None:
    """A broadcaster's camera."""
    written(path, "mxf", *film(3, size="320x240"), *tone(3, rate=48_000), "-c:v", "mpeg2video", "-c:a", "pcm_s16le")


def dv_raw(path: Path) -> None:
    """A MiniDV tape as it came off the camera."""
    picture = ("-c:v", "dvvideo", "-pix_fmt", "yuv420p")
    written(path, "dv", *film(3, size="720x576"), *tone(3, rate=48_000), "-ac", "2", *picture, "-c:a", "pcm_s16le")


def realmedia(path: Path) -> None:
    """The web's films around the year 2000."""
    written(path, "rm", *film(3, size="176x144"), *tone(3, rate=44_100), "-c:v", "rv10", "-c:a", "ac3")


def wtv(path: Path) -> None:
    """Television recorded by Windows Media Center."""
    written(path, "wtv", *film(3), *tone(3, rate=48_000), "-c:v", "mpeg2video", "-c:a", "mp2")


def voc(path: Path) -> None:
    """A sound of the first sound cards."""
    written(path, "voc", *tone(3, rate=22_050), "-c:a", "pcm_u8")


def amv(path: Path) -> None:
    """A film for the cheap players of the 2000s."""
    sound = ("-block_size", "1470", "-ac", "1", "-c:a", "adpcm_ima_amv")
    pictures = film(3, size="160x128", rate=15)
    written(path, "amv", *pictures, *tone(3, rate=22_050), "-c:v", "amv", *sound, "-strict", "-1")
