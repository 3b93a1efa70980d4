"""Lets the command run as ``python -m video2mp3_localcluster``."""

import sys

from video2mp3_localcluster.app.cli import main

sys.exit(main())
