"""⑥ What a source is and holds, by looking: its bytes first, ffprobe behind them.

Imports `processes`, `source.partial_download`, `containers` and what is below them.
"""
