"""Files of the kinds that people's recorders, servers and players left behind, made anew by the tests.

Each builder writes one file at a path. `rows` says what each of them has to become.
"""
