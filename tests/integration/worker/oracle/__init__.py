"""The sound beside plain ffmpeg's: what is heard, in which grid of cases, and how the two are compared."""
