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

ASKS_FOR_NAMES = {"gateway", "auth", "operator", "worker", "notifier", "mongodb-users", "test"}
TALKS_TO_KUBERNETES = {"gateway", "operator"}
