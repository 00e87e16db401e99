"""A small system of somebody else's, for the demo: says which benefits a person draws, where they are
registered, whether they owe anything and which disability is recognised; and takes in events.

What it says hangs on the number alone, so that it is the same each time. Standard library only.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

KEY = "clave-de-demostracion"
PLACE = "/prestaciones/"
RESIDENCE, DEBTS, DISABILITY = "/padron/", "/deudas/", "/discapacidad/"
EVENTS = "/avisos"
MOST_BYTES = 64 * 1024
_NOTHING = 4  # of ten people draw nothing
_ABLE = 7  # of ten have no disability on record
_BENEFITS = (
    ("Pensión contributiva de jubilación", 780, 2_300),
    ("Prestación por desempleo", 560, 1_400),
    ("Ingreso mínimo vital", 330, 1_050),
    ("Prestación por nacimiento y cuidado", 900, 2_200),
    ("Subsidio por incapacidad temporal", 600, 1_600),
    ("Pensión de viudedad", 640, 1_500),
)
_FIRST_DAY = date(2019, 1, 1)


def benefits(number: str) -> list[dict[str, Any]]:
    """What the person of this number draws, or drew: the same each time, and of some people nothing."""
    dice = Random(zlib.crc32(number.encode()))  # noqa: S311 - made-up data, repeatable by design
    if dice.randrange(10) < _NOTHING:
        return []
    found = []
    for name, least, most in dice.sample(_BENEFITS, dice.choice((1, 1, 2))):
        since = _FIRST_DAY + timedelta(days=dice.randrange(2_600))
        found.append(
            {
                "denominacion": name,
                "estado": {
                    "codigo": 1,
                    "texto": dice.choice(("En vigor", "En vigor", "Suspendida")),
                },
                "fecha_efectos": since.isoformat(),
                "importe_mensual": round(dice.uniform(least, most), 2),
            }
        )
    return found


def residence(number: str) -> list[dict[str, Any]]:
    """Where the person is registered, and since when."""
    dice = Random(zlib.crc32(f"padron {number}".encode()))  # noqa: S311 - likewise
    since = _FIRST_DAY + timedelta(days=dice.randrange(2_400))
    return [
        {
            "municipio": dice.choice(("Valdelagua", "Valdelagua", "Madrid", "Getafe")),
            "alta": since.isoformat(),
            "convivientes": dice.randrange(1, 6),
        }
    ]


def debts(number: str) -> list[dict[str, Any]]:
    """Whether the person is up to date with their taxes and contributions."""
    dice = Random(zlib.crc32(f"deudas {number}".encode()))  # noqa: S311 - likewise
    return [{"al_corriente": dice.randrange(5) > 0, "fecha_certificado": "2026-11-02"}]


def disability(number: str) -> list[dict[str, Any]]:
    """The degree of disability that is recognised, of few."""
    dice = Random(zlib.crc32(f"grado {number}".encode()))  # noqa: S311 - likewise
    if dice.randrange(10) < _ABLE:
        return []
    since = _FIRST_DAY + timedelta(days=dice.randrange(2_400))
    return [{"grado": f"{dice.randrange(33, 76)} %", "resolucion": since.isoformat()}]


_ANSWERS: Mapping[str, Callable[[str], list[dict[str, Any]]]] = {
    RESIDENCE: residence,
    DEBTS: debts,
    DISABILITY: disability,
}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_version = "Registro"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Who draws what, for who has the key."""
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._say(HTTPStatus.UNAUTHORIZED, {"error": "clave no válida"})
        for place, answer in _ANSWERS.items():
            if self.path.startswith(place):
                found = answer(self.path.removeprefix(place))
                status = HTTPStatus.OK if found else HTTPStatus.NOT_FOUND
                return self._say(status, {"datos": found})
        if not self.path.startswith(PLACE):
            return self._say(HTTPStatus.NOT_FOUND, {"error": "no existe"})
        drawn = benefits(self.path.removeprefix(PLACE))
        if not drawn:
            return self._say(HTTPStatus.NOT_FOUND, {"error": "sin prestaciones"})
        return self._say(HTTPStatus.OK, {"total": len(drawn), "prestaciones": drawn})

    def do_POST(self) -> None:
        """An event of somebody's: taken in and forgotten."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != EVENTS or length > MOST_BYTES or "webhook-signature" not in self.headers:
            self.close_connection = True
            return self._say(HTTPStatus.BAD_REQUEST, {"error": "no se admite"})
        self.rfile.read(length)
        return self._say(HTTPStatus.OK, {"recibido": True})

    def _say(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: addresses hold people's numbers."""


def listen(port: int) -> ThreadingHTTPServer:
    """A server that listens on this machine only, to be started by its caller."""
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
