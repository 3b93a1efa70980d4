"""①②③ and ⑨'s download: the REST side of video2mp3.

Read `web` for what can be asked, `upload` for how a video becomes a stored file and a Conversion, `ports` for the
outside systems, and `app.bootstrap` for what stands behind them.
"""
