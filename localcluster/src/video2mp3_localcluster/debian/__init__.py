"""Debian's packages and base image, without Docker. Imports `steps`."""
