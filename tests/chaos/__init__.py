"""Kills parts of a release at random while people upload, and counts what became of every upload.

`plan`, `tally` and `table` are pure; `load`, `kills`, `outages`, `stock` and `ending` act; `run` tells the story.
"""
