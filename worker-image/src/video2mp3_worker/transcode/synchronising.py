"""Filters of ffmpeg that make the number of samples follow the packets' times. Pure: composed with ffmpeg-python.

A gap becomes silence, a clock that drifts is followed by resampling (libswresample, "compensation"), one that goes back
or leaps goes on where it was. libswresample makes a silence in one piece, in memory. So that no pause is too long for
that, silent frames are laid into it: pieces of the silence that is to be there anyway.
"""

from typing import Any, Final

import ffmpeg

from video2mp3_worker.transcode.timing import GAP_SECONDS, Timing

_DRIFT_SECONDS: Final = 0.05
"""From here on a clock is followed by resampling; under it, nothing is touched."""

_STRETCH: Final = 0.0125
"""The most that resampling changes length and pitch by, as a share: recorders were seen to be one percent off."""

_ENDLESS: Final = 1e12
_ERROR: Final = 16
"""ffmpeg's number for a message that is an error (AV_LOG_ERROR): others are not shown."""

_SILENT_SAMPLES: Final = 65_537
"""In a silent frame, which is known by this number: frames of codecs have fewer, and no prime number of them."""

_APART: Final = 8
"""From one silent frame to the next, in silent frames."""

_LENGTH: Final = "samples_n/sample_rate"
_SILENCE: Final = f"if(ld(1)*gt(t-3*{_LENGTH},ld(0)),st(0,t-{_LENGTH});1)"
_LAID: Final = f"if(eq(samples_n,{_SILENT_SAMPLES}),{_SILENCE},st(0,t+{_LENGTH});st(1,1))"
"""Which frames there are, as an expression of ffmpeg: all of the audio, and silent ones within its pauses.

A silent frame comes as soon as no audio comes before its time, and is laid two of its lengths earlier. So there is a
gap before the audio that follows, and one behind the audio before: none is too short to be filled. Variable 0 is when
the frame before ends, 1 whether there is one.
"""

_EARLIER: Final = f"PTS-if(eq(NB_SAMPLES,{_SILENT_SAMPLES}),2*NB_SAMPLES/SR/TB)"


def synchronised(audio: Any, times: Timing, pauses_seconds: float) -> Any:
    """The audio with silence in its gaps, of `pauses_seconds` in all. Others are left out: see `forwards`."""
    if not times.fills_gaps:
        return audio
    # In the unit that ainterleave counts in, whatever it is given.
    clocked = audio.filter("asetpts", expr=forwards(times, pauses_seconds)).filter("asettb", "AVTB")
    frames = clocked.filter_multi_output("asplit", 2)
    silence = frames[1].filter("atrim", end_sample=0).filter("apad", packet_size=_SILENT_SAMPLES)
    silence = silence.filter("asetnsamples", n=_SILENT_SAMPLES, p=0).filter("asetpts", f"N*{_APART}/SR/TB")
    both = ffmpeg.filter([frames[0], silence], "ainterleave", duration="first")
    # ainterleave counts in microseconds, whatever it is given: back to samples, of which each is many.
    laid = both.filter("asettb", "1/sr").filter("aselect", _LAID).filter("asetpts", _EARLIER)
    # No first_pts here: when the audio changes its rate or channels, ffmpeg makes all filters anew, in mid-stream.
    return laid.filter("aresample", min_comp=_DRIFT_SECONDS, max_soft_comp=_STRETCH, min_hard_comp=GAP_SECONDS)


def forwards(times: Timing, pauses_seconds: float) -> str:
    """The time of a frame, as an expression of ffmpeg: one that never goes back, nor leaps.

    Of a pause that is left out ffmpeg says how long it was, in its own line.
    """
    # Variable 0 is what to add to all times since they last went back or leaped, 1 is when the frame before ended, 2
    # how long all pauses are.
    back = f"gt(ld(1)-PTS-ld(0),{GAP_SECONDS}/TB)"
    # Before the first frame is no gap, but the lead.
    gap = "(PTS+ld(0)-ld(1))*TB"
    leap = f"gt({gap},{times.longest_pause_seconds or _ENDLESS:g})+if(ld(1),gt({gap}+ld(2),{pauses_seconds:g}))"
    said = f"if(ld(1),0*print({gap},{_ERROR}),0)"
    shift = f"st(0,if({back},ld(1)-PTS,if({leap},ld(1)-PTS+{said},ld(0))))"
    counted = f"if(ld(1)*gt({gap},{GAP_SECONDS}),st(2,ld(2)+{gap}))"
    return f"{shift};{counted};st(1,PTS+ld(0)+NB_SAMPLES/SR/TB);PTS+ld(0)"
