"""⑥ The source, from GridFS or the web to the disk. Imports `containers`, `limits` and `ports`."""
