"""The real servers that integration tests talk to, each a program on this machine's loopback address.

Use them as context managers (or through the fixtures of `tests/integration/conftest.py`):

    with SecantusDBServer() as mongodb:
        MongoClient(mongodb.uri)
        mongodb.pause()     # the process is frozen: calls hang
        mongodb.resume()
        mongodb.stop()      # connections are refused; the data stays
        mongodb.start()     # on the same port, with the same data
"""

from tests.servers.kubernetes import KubernetesServer
from tests.servers.mailsink import MailsinkServer
from tests.servers.mongodb import FerretDBServer, MongoDBServer, SecantusDBServer
from tests.servers.mysql import DatabaseServer, MariaDBServer, MySQLServer
from tests.servers.process import Server, ServerError
from tests.servers.rabbitmq import RabbitMQServer
from tests.servers.traefik import GatewayApiTraefik, TraefikServer

__all__ = [
    "DatabaseServer",
    "FerretDBServer",
    "GatewayApiTraefik",
    "KubernetesServer",
    "MailsinkServer",
    "MariaDBServer",
    "MongoDBServer",
    "MySQLServer",
    "RabbitMQServer",
    "SecantusDBServer",
    "Server",
    "ServerError",
    "TraefikServer",
]
