"""The one way out: nowhere inside, not for ever, not without end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from crm.kit import http
from crm.kit.http import CallFailed, call, post


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], int]]:
    """Starts a server that answers each POST as told; returns its port."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        started.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server.server_port

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def say(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_named_host_inside_is_called(server: Any, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["localhost"]
    port = server(say(b"stamp"))
    assert post(f"http://localhost:{port}/tsa?x=1", b"ask", headers={}) == b"stamp"


def test_a_host_may_be_named_with_one_port_only(server: Any, settings: Any) -> None:
    calls: list[str] = []
    port, other = server(say(b"here")), server(lambda handler: calls.append(handler.path))
    settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
    assert post(f"http://127.0.0.1:{port}/", b"", headers={}) == b"here"
    with pytest.raises(CallFailed, match="not an address"):
        post(f"http://127.0.0.1:{other}/", b"", headers={})
    assert calls == []


def test_an_answer_that_comes_after_its_headers_is_read(server: Any, settings: Any) -> None:
    """Regression: the socket was closed with the connection, before its answer was read."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]

    def later(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.flush()
        time.sleep(0.05)
        handler.wfile.write(b"late")

    assert post(f"http://127.0.0.1:{server(later)}/", b"", headers={}) == b"late"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_fails_says_nothing_of_path_query_and_key(method: str) -> None:
    with pytest.raises(CallFailed) as failed:
        call(method, "http://127.0.0.1/99000001H?key=k", headers={"X-Key": "secret"})
    assert failed.value.code == "address"
    for told in (str(failed.value), repr(failed.value)):
        assert "99000001H" not in told
        assert "secret" not in told


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]",
        "[::ffff:127.0.0.1]", "[fc00::1]", "[fe80::1]", "2130706433", "0x7f.1", "0177.0.0.1",
        "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "224.0.0.1", "100.64.0.1",
    ],
)  # fmt: skip
def test_nothing_inside_is_called(server: Any, host: str) -> None:
    calls: list[str] = []
    port = server(lambda handler: calls.append(handler.path))
    with pytest.raises(CallFailed):
        post(f"http://{host}:{port}/", b"", headers={}, seconds=2)
    assert calls == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/", "http://a@b/", "http:///", "x"]
)
def test_only_plain_http_addresses_are_called(url: str) -> None:
    with pytest.raises(CallFailed):
        post(url, b"", headers={})


def test_a_name_is_resolved_once_and_the_checked_address_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    called: list[object] = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(http.socket, "create_connection", connect)
    with pytest.raises(CallFailed):
        post("http://rebind.example/", b"", headers={})
    assert asked == ["rebind.example"]
    assert called == [("93.184.215.14", 80)]


def test_one_inside_address_among_many_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(http.socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(CallFailed, match="not an address"):
        post("http://mixed.example/", b"", headers={})


def test_a_name_server_that_hangs_holds_nobody(
    monkeypatch: pytest.MonkeyPatch, server: Any, settings: Any
) -> None:
    """The system's resolver knows no time limit: it is left behind, once for each name."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1", "dead.example"]
    go_on, asked, real = threading.Event(), [], socket.getaddrinfo
    port = server(say(b"well"))

    def resolve(host: Any, *arguments: Any, **more: Any) -> Any:
        if host != "dead.example":
            return real(host, *arguments, **more)
        asked.append(host)
        go_on.wait(30)
        return real("127.0.0.1", *arguments, **more)

    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    try:
        for _time in range(3):
            with pytest.raises(CallFailed) as failed:
                post(f"http://dead.example:{port}/", b"", headers={}, seconds=0.2)
            assert failed.value.code == "timeout"
        assert not go_on.is_set(), "it hangs still"
        assert asked == ["dead.example"], "nobody else waits for it"
        assert post(f"http://127.0.0.1:{port}/", b"", headers={}, seconds=5) == b"well"
    finally:
        go_on.set()
    assert post(f"http://dead.example:{port}/", b"", headers={}, seconds=5) == b"well"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),  # NAT64 of a public address
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::7f00:1", False),
        ("::7f00:1", False),  # IPv4-compatible, of old
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("fec0::1", False),
        ("fe80::1%eth0", False),
        ("5f00::1", False),
        ("::", False),
        ("0.0.0.0", False),  # noqa: S104 - asked about, not listened on
        ("198.18.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Asked of the rule itself: from a machine without IPv6 nothing is reached anyway."""
    assert http._is_public(address) is public


def redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1/")
    handler.end_headers()


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _byte in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """Each byte comes soon after the last one: no single wait is long."""
    for byte in b"HTTP/1.0 200 OK\r\nX: " + b"y" * 100:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize(
    "answer",
    [redirect, drip, drip_headers, say(b"x" * 2000)],
    ids=["redirect", "slow", "slow from the start", "large"],
)
def test_no_redirect_no_endless_and_no_large_answer(
    server: Any, settings: Any, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    port, started = server(answer), time.monotonic()
    with pytest.raises(CallFailed):
        post(f"http://127.0.0.1:{port}/", b"", headers={}, seconds=1, most_bytes=1000)
    assert time.monotonic() - started < 2
