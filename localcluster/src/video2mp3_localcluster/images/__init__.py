"""Container images without Docker: a Debian base, the services' own Dockerfiles, the stand-ins of the local cluster.

An image is rebuilt only when its inputs changed. Its tag is made from them, so changed source is a new reference, which
the cluster cannot mistake for the one it has. Imports `node` and what is below it.
"""
