"""`python -m video2mp3_worker` is the same as `video2mp3-worker`."""

import gc

# To look for garbage while hundreds of modules are imported takes a tenth of a second, and there is none.
gc.disable()

from video2mp3_worker.app.main import start  # noqa: E402 - after the above

if __name__ == "__main__":
    start()
