"""What two services of video2mp3 must agree on, and nothing else.

Every module is pure data and pure functions: no network, no clock, no SDK. Services import this package and never
each other. The exceptions are what several services must do alike on the outside, each an extra of its own: of
`runtime` the module `web` knows Flask, `amqp` pika and `mongo` pymongo, and `server` knows gunicorn.
"""
