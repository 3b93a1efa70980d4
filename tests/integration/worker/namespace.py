"""Run as a program in new network and mount namespaces: makes addresses local there, and hands listening sockets out.

    unshare --net --mount python namespace.py FD RESOLV_CONF

Each request on the Unix socket FD is JSON {"host", "port", "kind"}; the answer is one byte and the socket, bound there.
"""

import json
import socket
import subprocess
import sys


def main(control: socket.socket, resolver: str) -> None:
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "-4", "route", "add", "local", "0.0.0.0/0", "dev", "lo"],
        ["mount", "--bind", resolver, "/etc/resolv.conf"],
    ):
        subprocess.run(command, check=True)
    while request := control.recv(4096):
        wanted = json.loads(request)
        family = socket.AF_INET6 if ":" in wanted["host"] else socket.AF_INET
        if family == socket.AF_INET6 and wanted["host"] != "::1":
            subprocess.run(["ip", "-6", "address", "add", wanted["host"], "dev", "lo", "nodad"], check=True)
        with socket.socket(family, getattr(socket, wanted["kind"])) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((wanted["host"], wanted["port"]))
            if wanted["kind"] == "SOCK_STREAM":
                made.listen()
            socket.send_fds(control, [b"."], [made.fileno()])


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
