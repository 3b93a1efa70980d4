"""Which flows a release needs: the policies are read against this table, and tried against it on a cluster."""

PORTS = {
    "gateway": 8080,
    "auth": 8080,
    "operator": 8080,
    "notifier": 8080,
    "mysql": 3306,
    "mongodb": 27017,
    "rabbitmq": 5672,
}

METRICS_PORTS = {"gateway": 9090, "auth": 9090, "operator": 8080, "notifier": 8080}
"""Where Prometheus may read, and nobody else. Gateway and auth have other ports for those who talk to them."""

FLOWS = {
    ("gateway", "auth"),
    ("gateway", "mongodb"),
    ("auth", "mysql"),
    ("operator", "mongodb"),
    ("operator", "rabbitmq"),
    ("worker", "mongodb"),
    ("worker", "rabbitmq"),
    ("notifier", "mongodb"),
    ("notifier", "rabbitmq"),
    ("mongodb-users", "mongodb"),
    ("test", "gateway"),
    ("anybody", "gateway"),
    ("outside", "gateway"),
}
"""Who talks to whom, inside the release."""

ASKS_FOR_NAMES = {"gateway", "auth", "operator", "worker", "notifier", "mongodb-users", "secrets", "test"}
TALKS_TO_KUBERNETES = {"gateway", "operator", "secrets"}
