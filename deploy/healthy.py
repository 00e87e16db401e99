"""Exits 0 when the process on PORT answers /healthz with 200: the health check of a container."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].lstrip(".")
connection.request("GET", "/healthz", headers={"Host": host})
sys.exit(connection.getresponse().status != http.client.OK)
