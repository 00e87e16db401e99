"""A mail server that keeps what it took, in a thread of the test: the ledger by which nobody was written
to twice."""

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path


@dataclass
class Ledger:
    """What was taken, in order: message id and recipient."""

    port: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)  # the envelopes', as they were said
    answer: Callable[[str], bytes] = lambda _address: b"250 2.1.5 OK"
    lock: threading.Lock = field(default_factory=threading.Lock)
    place: Path | None = None


class _Talk(socketserver.StreamRequestHandler):
    ledger: Ledger

    def handle(self) -> None:
        """RFC 5321, as much as our own client speaks of it."""
        with contextlib.suppress(OSError):
            self._say(b"220 sink")
            recipient = ""
            while line := self.rfile.readline():
                verb = line.split(b" ", 1)[0].strip().upper()
                if verb == b"DATA":
                    self._say(b"354 go on")
                    self._take(recipient)
                elif verb == b"QUIT":
                    self._say(b"221 bye")
                    return
                elif line.upper().startswith(b"RCPT TO:"):
                    recipient = line[8:].strip().strip(b"<>").decode()
                    self._say(self.ledger.answer(recipient))
                else:
                    if line.upper().startswith(b"MAIL FROM:"):
                        self.ledger.senders.append(line[10:].split()[0].decode())
                    self._say(b"250 OK")

    def _take(self, recipient: str) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if not line:
            return  # broken off: nothing was taken
        message = message_from_bytes(b"".join(lines))
        with self.ledger.lock:  # taken before it says so, as real ones do
            self.ledger.taken.append((str(message["Message-ID"]).strip(), recipient))  # or folded
            self.ledger.messages.append(message)
            if self.ledger.place:
                number = len(self.ledger.messages)
                half = self.ledger.place / f"{number:05}.part"
                half.write_bytes(b"".join(lines))
                half.rename(half.with_suffix(".log"))  # whoever looks finds it whole
        self._say(b"250 2.0.0 taken")

    def _say(self, text: bytes) -> None:
        self.wfile.write(text + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def sink(place: Path | None = None) -> Iterator[Ledger]:
    """The server on a port of its own, while it lasts; what it takes also lies in `place`."""
    ledger = Ledger(place=place)
    talk = type("Talk", (_Talk,), {"ledger": ledger})
    with _Server(("127.0.0.1", 0), talk) as server:
        ledger.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield ledger
        server.shutdown()
        thread.join()
