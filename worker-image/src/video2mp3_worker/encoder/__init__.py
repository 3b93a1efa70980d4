"""⑥ The mp3 encoder: one stream of samples, encoded on many cores, byte for byte the same on any number of them.

A program of its own (`__main__`), so that it can be confined; it imports `sandbox`, and nothing outside
but LAME.
"""
