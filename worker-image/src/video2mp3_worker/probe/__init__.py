"""⑥ What a source is and holds, by looking: its bytes first, ffprobe behind them.

Imports `processes`, `source.local_source`, `containers` and what is below them.
"""
