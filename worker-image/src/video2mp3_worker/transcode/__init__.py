"""⑥ From a source on the disk to an mp3 on the disk: what to do, the command lines for it, tags, loudness, the check.

Imports `probe`, `processes`, `encoder`, `source.partial_download`,
and what is below them; knows no store and no cluster.
"""
