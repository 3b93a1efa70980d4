"""`python -m video2mp3_worker` is the same as `video2mp3-worker`."""

import sys

from video2mp3_worker.main import main

if __name__ == "__main__":
    sys.exit(main())
