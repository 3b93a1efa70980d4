"""What a person can do about a failed conversion, by its reason. Pure."""

from typing import Final

from video2mp3_contracts.api.reasons import Reason

_OTHER_SOURCE: Final = "Upload another copy of the video, or another video. This one would end the same again."
_UPLOAD_AGAIN: Final = "Upload the video again, and wait until the upload is finished."
_NAME_AGAIN: Final = "Upload the video again, or mend the address that it is fetched from."
_SMALLER: Final = "Upload a shorter or smaller video, or cut this one into parts."
_OTHER_REQUEST: Final = "Change what was asked for as the sentence above says, and make a new Conversion."
_OTHER_ADDRESS: Final = "Upload the video, or make a new Conversion when the source's address and server are well."
_LATER: Final = (
    "Upload the video again later. If it fails again, tell the people who run this service, with the name of the "
    "Conversion below."
)

_BY_REASON: Final[dict[str, str]] = {
    Reason.NOT_MEDIA: _OTHER_SOURCE,
    Reason.NO_AUDIO: _OTHER_SOURCE,
    Reason.ENCRYPTED: _OTHER_SOURCE,
    Reason.EMPTY_SOURCE: _UPLOAD_AGAIN,
    Reason.TRUNCATED: _UPLOAD_AGAIN,
    Reason.SOURCE_NOT_FOUND: _NAME_AGAIN,
    Reason.SOURCE_REFUSED: _OTHER_ADDRESS,
    Reason.SOURCE_UNAVAILABLE: _OTHER_ADDRESS,
    Reason.SOURCE_NOT_ALLOWED: _OTHER_REQUEST,
    Reason.CHECKSUM_MISMATCH: _OTHER_REQUEST,
    Reason.TOO_LARGE: _SMALLER,
    Reason.TOO_LONG: _SMALLER,
    Reason.LIMIT_EXCEEDED: _SMALLER,
    Reason.INVALID_SPEC: _OTHER_REQUEST,
    Reason.BAD_REQUEST: _OTHER_REQUEST,
    Reason.OWNER_MISMATCH: _OTHER_REQUEST,
}


def advice_for(reason: str) -> str:
    """One or two sentences; for reasons that are nobody's mistake, to try again later."""
    return _BY_REASON.get(reason, _LATER)
