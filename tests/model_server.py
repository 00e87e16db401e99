"""A language model's server as a test asks for it: real HTTP on this machine, the wire format of OpenAI's."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.test import override_settings

Answering = Callable[["Handler"], None]


@dataclass
class ModelServer:
    """What it was asked, and what it answers next."""

    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answering: Answering | None = None

    @property
    def url(self) -> str:
        """Of its API."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def read(self) -> str:
        """Everything that it was ever sent."""
        return json.dumps(self.asked, ensure_ascii=False)

    def says(self, text: Any) -> None:
        """It answers in due form."""
        self.gives({"choices": [{"message": {"role": "assistant", "content": text}}]})

    def gives(self, content: Any, status: int = 200, **headers: str) -> None:
        """It answers with this, whatever it is."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()

        def answer(handler: "Handler") -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answering = answer

    def hangs(self) -> None:
        """It takes the question and says nothing."""
        self.answering = lambda handler: handler.server.released.wait(20)  # type: ignore[attr-defined,func-returns-value]

    def drips(self) -> None:
        """It speaks a byte at a time, for ever."""

        def answer(handler: "Handler") -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            while not handler.server.released.is_set():  # type: ignore[attr-defined]
                handler.wfile.write(b" ")
                time.sleep(0.05)

        self.answering = answer


class Handler(BaseHTTPRequestHandler):
    """One question."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        model: ModelServer = self.server.model  # type: ignore[attr-defined]
        model.asked.append({"path": self.path, **json.loads(body)})
        model.keys.append(self.headers.get("Authorization", ""))
        with suppress(OSError):  # whoever asked did not wait
            assert model.answering is not None
            model.answering(self)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def running(port: int = 0) -> Iterator[ModelServer]:
    """A server that may be called."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    model = server.model = ModelServer(server.server_port)  # type: ignore[attr-defined]
    server.released = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        with override_settings(OUTBOUND_ALLOWED_HOSTS=[f"127.0.0.1:{server.server_port}"]):
            yield model
    finally:
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
