"""What two services of video2mp3 must agree on, and nothing else.

Every module is pure data and pure functions: no network, no clock, no SDK. Services import this package and never
each other. `web` alone knows Flask; only the gateway and the auth service install that extra.
"""
