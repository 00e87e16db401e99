"""A small IMAP server in this process: one mailbox, as much of RFC 3501 as a reader of it needs."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Box:
    """The mailbox, and how its server behaves."""

    mails: dict[int, bytes] = field(default_factory=dict)  # by UID
    seen: set[int] = field(default_factory=set)
    validity: int = 1
    password: str = "secreto"
    break_at: int = 0  # UID at which the server hangs up
    fetched: list[int] = field(default_factory=list)
    port: int = 0

    def add(self, *mails: bytes) -> None:
        """Messages come in."""
        for mail in mails:
            self.mails[max(self.mails, default=0) + 1] = mail


class _Talk(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        self._say("* OK ready")
        for line in iter(self.rfile.readline, b""):
            tag, _space, command = line.decode().strip().partition(" ")
            if not self._answer(tag, command):
                return

    def _answer(self, tag: str, command: str) -> bool:
        box: Box = self.server.box  # type: ignore[attr-defined]
        verb = command.split(" ")[0].upper()
        if verb == "LOGIN" and not command.endswith(f'"{box.password}"'):
            self._say(f"{tag} NO [AUTHENTICATIONFAILED] no")
            return True
        if verb == "SELECT":
            if "INBOX" not in command:
                self._say(f"{tag} NO no such folder")
                return True
            self._say(f"* {len(box.mails)} EXISTS")
            self._say(f"* OK [UIDVALIDITY {box.validity}] valid")
        if verb == "CAPABILITY":
            self._say("* CAPABILITY IMAP4REV1")
        if verb == "UID" and not self._by_uid(box, command):
            return False
        if verb == "LOGOUT":
            self._say("* BYE")
        self._say(f"{tag} OK done")
        return verb != "LOGOUT"

    def _by_uid(self, box: Box, command: str) -> bool:
        if command.upper().startswith("UID SEARCH"):
            first = int(re.findall(r"UID (\d+):\*", command)[0])
            found = [uid for uid in sorted(box.mails) if uid >= first]
            found = found or [max(box.mails)] if box.mails else []  # as the standard wants it
            self._say(f"* SEARCH {' '.join(map(str, found))}")
            return True
        uid = int(re.findall(r"UID \w+ (\d+)", command)[0])
        if "STORE" in command.upper():
            box.seen.add(uid)
        elif "SIZE" in command:
            self._say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(box.mails[uid])})")
        else:
            if uid == box.break_at:
                return False
            raw = box.mails[uid]
            if "HEADER" in command:
                raw = raw.partition(b"\n\n")[0] + b"\n\n"
            else:
                box.fetched.append(uid)
            self._say(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}")
            self.wfile.write(raw + b")\r\n")
        return True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serving(port: int = 0) -> Iterator[Box]:
    """The server, while it lasts; its port is in the box."""
    with _Server(("127.0.0.1", port), _Talk) as server:
        box = server.box = Box(port=server.server_address[1])  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
