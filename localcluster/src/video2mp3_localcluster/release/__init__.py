"""A release as files: the changelog's cut, images by digest, the chart, what is in each image, checksums, provenance.

Imports `images`, `programs` and `steps`.
"""
