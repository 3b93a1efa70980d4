"""ffmpeg, ffprobe and the encoder as processes: started confined, watched, ended, and what their end means.

Imports `encoder` (to start it), `sandbox` and `ports`.
"""
