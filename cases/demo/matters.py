"""What people come with in the demo: case types and matters as written in the files beside, with the
words that each case draws for itself."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.utils.formats import date_format

from cases.designing import code_of
from cases.permissions import CHANGE_CASE, CLOSE_CASE
from crm.citizens.names import MEN, STREETS, TRADES, WOMEN
from crm.organisations.demo import INSTITUTE, TOWN

_WOMEN = frozenset(WOMEN)
_FILES = {INSTITUTE: "institute.toml", TOWN: "town.toml"}


@dataclass(frozen=True)
class Matter:
    """What one person comes with, what is noted inside, and what is answered at last."""

    subject: str
    text: str
    note: str
    answer: str
    woman: bool = False  # only a woman comes with it


@dataclass(frozen=True)
class Ask:
    """What the citizen is asked for, and the paper that comes back."""

    reason: str
    text: str
    reply: str
    paper: str
    street: bool = False


@dataclass(frozen=True)
class Report:
    """What is awaited from somebody else, and what is noted when it comes."""

    reason: str
    note: str
    street: bool = False


@dataclass(frozen=True)
class Complaint:
    """Why a case that had ended is taken up again, and how it ends the second time."""

    text: str
    reason: str
    note: str
    answer: str


@dataclass(frozen=True)
class Kind:
    """A case type of the demo."""

    code: str
    name: str
    nature: str
    shape: str
    term: str
    weight: int
    outcomes: Sequence[str]
    fields: Mapping[str, Mapping[str, Any]]
    matters: Sequence[Matter]
    unit: str = ""  # where it is worked; empty: where the person lives
    street: bool = False  # it happens at a place
    private: bool = False  # few may know of it
    companies: bool = False  # companies come with it
    tasks: Sequence[Mapping[str, Any]] = ()  # parts of its bundle: cases.checklists
    papers: Sequence[Mapping[str, Any]] = ()
    roles: Sequence[Mapping[str, Any]] = ()  # cases.parts
    sections: Sequence[Mapping[str, Any]] = ()
    retention: Mapping[str, str] = field(default_factory=dict)
    destroyed: Sequence[str] = ()  # outcomes whose file is not kept for ever

    def matters_of(self, name: str) -> Sequence[Matter]:
        """What somebody of that first name comes with."""
        return [one for one in self.matters if name in _WOMEN or not one.woman]

    @property
    def bundle(self) -> dict[str, Any]:
        """The definition that is published."""
        fields: dict[str, Any] = {"properties": self.fields, "x-order": list(self.fields)}
        if self.sections:
            fields["x-sections"] = list(self.sections)
        planned = {
            "tasks": list(self.tasks),
            "papers": list(self.papers),
            "roles": list(self.roles),
            "retention": dict(self.retention),
            "results": self.results,
        }
        return {
            **SHAPES[self.shape],
            "fields": fields,
            "term": self.term,
            **{name: items for name, items in planned.items() if items},
        }

    @property
    def results(self) -> list[dict[str, Any]]:
        """The ways in which it ends: its outcomes, where the type says what becomes of files."""
        taken: set[Any] = set()
        found = []
        for outcome in self.outcomes if self.retention else ():
            code = code_of(outcome, taken)
            taken.add(code)
            fate = {"nomination": "destroy", "term": "5y"} if outcome in self.destroyed else {}
            found.append({"code": code, "name": outcome, **fate})
        return found


@dataclass(frozen=True)
class Book:
    """All that an organisation's people come with."""

    kinds: Sequence[Kind]
    asks: Sequence[Ask]
    reports: Sequence[Report]
    complaints: Sequence[Complaint]


def book_of(code: str) -> Book:
    """The demo organisation's book."""
    with (Path(__file__).parent / _FILES[code]).open("rb") as file:
        told = tomllib.load(file)
    asks = [Ask(**one) for one in told.pop("asks")]
    reports = [Report(**one) for one in told.pop("reports")]
    complaints = [Complaint(**one) for one in told.pop("complaints")]
    kinds = [
        Kind(code=name, **{**one, "matters": [Matter(**matter) for matter in one["matters"]]})
        for name, one in told.items()
    ]
    return Book(kinds, asks, reports, complaints)


# --- Words --------------------------------------------------------------------------------------

_TOWNS = ["Alcorcón", "Móstoles", "Leganés", "Parla", "Torrejón", "Terrassa", "Badalona", "Torrent", "Sagunto", "Utrera", "Écija", "Calatayud", "Santiago", "Betanzos", "Barakaldo", "Getxo", "Telde", "Guadalajara", "Toledo", "Segovia"]  # fmt: skip
_QUARTERS = [
    "La Alameda",
    "El Molino",
    "Las Eras",
    "Santa Ana",
    "Los Almendros",
    "El Cauce",
    "San Roque",
    "Fuente Nueva",
    "El Ensanche",
]
_COUNTRIES = [
    "Francia",
    "Alemania",
    "Suiza",
    "Portugal",
    "Reino Unido",
    "Argentina",
    "Marruecos",
    "Países Bajos",
]
_BANKS = [
    "Caja del Valle",
    "Banco Meridional",
    "Caja Rural de la Vega",
    "Banco Atlántico",
    "BancaNova",
]
_SHOPS = [
    "una cafetería",
    "una academia",
    "un taller de bicicletas",
    "una peluquería",
    "una frutería",
]


class Words(dict[str, str]):
    """The words of one case: each is drawn when it is first needed and then stays."""

    def __init__(self, dice: Random, opened: datetime) -> None:
        super().__init__()
        self._dice, self._opened = dice, opened

    def __missing__(self, name: str) -> str:
        self[name] = word = self._drawn(name)
        return word

    def fill(self, text: str) -> str:
        """The text with its words in place."""
        return text.format_map(self)

    def _drawn(self, name: str) -> str:
        dice = self._dice
        if name.startswith(("fecha", "mes")):
            ahead = name.endswith(("_futura", "_futuro"))
            days = dice.randint(10, 60) if ahead else -dice.randint(4, 75)
            moment = self._opened + timedelta(days=days)
            return date_format(moment, "F" if name.startswith("mes") else r"j \d\e F").lower()
        lists = {
            "calle": STREETS,
            "barrio": _QUARTERS,
            "municipio": _TOWNS,
            "pais": _COUNTRIES,
            "entidad": _BANKS,
            "negocio": _SHOPS,
        }
        if name in lists:
            return dice.choice(lists[name])
        numbers = {
            "numero": lambda: str(dice.randint(1, 86)),
            "anio": lambda: str(self._opened.year - dice.randint(1, 9)),
            "dia": lambda: str(dice.randint(2, 27)),
            "dias": lambda: str(dice.randint(8, 40)),
            "hora": lambda: f"{dice.randint(8, 13)}:{dice.choice(('00', '15', '30', '45'))}",
            "importe": lambda: f"{dice.randint(38, 980)},{dice.randint(0, 99):02}",
            "hijo": lambda: dice.choice((*WOMEN[:40], *MEN[:40])),
            "empresa": lambda: f"{dice.choice(TRADES)} {dice.choice(_TOWNS)}, S.L.",
        }
        return numbers[name]()


def data_for(kind: Kind, dice: Random, opened: datetime) -> dict[str, Any]:
    """Values for the type's own fields; now and then one that nobody filled in."""
    return {
        name: _value(schema, dice, opened)
        for name, schema in kind.fields.items()
        if dice.random() < 0.93
    }


def _value(schema: Mapping[str, Any], dice: Random, opened: datetime) -> Any:
    if choices := schema.get("enum") or schema.get("examples"):
        return dice.choice(choices)
    if schema["type"] == "boolean":
        return dice.random() < 0.3
    if schema["type"] == "integer":
        return dice.randint(schema["minimum"], schema["maximum"])
    if schema["type"] == "number":
        return round(dice.uniform(schema["minimum"], schema["maximum"]), 2)
    return (opened.date() - timedelta(days=dice.randint(3, 50))).isoformat()


# --- Shapes -------------------------------------------------------------------------------------

# Ways of working: the moves are called alike in all, so that one story can be told by any.
START, ASK, REPORT, BACK = "iniciar", "requerir", "pedir_informe", "recibir"
ASSESS, PROPOSE, RESOLVE, CLOSE, REOPEN = "valorar", "proponer", "resolver", "archivar", "reabrir"


def _states(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"code": code, "name": name, "category": category} for code, name, category in rows]


def _move(code: str, name: str, sources: str, target: str, asked: str = "") -> dict[str, Any]:
    ends = code in {RESOLVE, CLOSE, REOPEN}
    return {
        "code": code,
        "name": name,
        "from": sources.split(),
        "to": target,
        "permission": CLOSE_CASE if ends else CHANGE_CASE,
        "requires": asked.split(),
    }


SHAPES: Mapping[str, dict[str, Any]] = {
    "procedure": {
        "states": _states(
            ("registrada", "Registrada", "new"),
            ("en_tramite", "En trámite", "open"),
            ("subsanacion", "Pendiente de subsanación", "waiting_citizen"),
            ("informe", "Pendiente de informe", "waiting_third_party"),
            ("valoracion", "En valoración técnica", "open"),
            ("propuesta", "Propuesta de resolución", "open"),
            ("resuelta", "Resuelta y notificada", "resolved"),
            ("archivada", "Archivada", "closed"),
        ),
        "initial": "registrada",
        "moves": [
            _move(START, "Iniciar la tramitación", "registrada", "en_tramite"),
            _move(
                ASK,
                "Requerir subsanación",
                "registrada en_tramite valoracion",
                "subsanacion",
                "reason",
            ),
            _move(REPORT, "Pedir informe", "en_tramite valoracion", "informe", "reason"),
            _move(BACK, "Recibir lo pedido", "subsanacion informe", "en_tramite"),
            _move(ASSESS, "Pasar a valoración", "en_tramite", "valoracion"),
            _move(PROPOSE, "Proponer resolución", "en_tramite valoracion", "propuesta"),
            _move(
                RESOLVE,
                "Resolver y notificar",
                "propuesta en_tramite valoracion",
                "resuelta",
                "outcome",
            ),
            _move(
                CLOSE,
                "Archivar",
                "registrada en_tramite subsanacion informe valoracion propuesta",
                "archivada",
                "reason",
            ),
            _move(REOPEN, "Reabrir", "resuelta archivada", "en_tramite", "reason"),
        ],
        "messages": [
            {
                "code": "subsanacion",
                "name": "Requerimiento de subsanación",
                "text": "Buenos días, ((citizen)):\n\nPara seguir con su solicitud ((reference)) nos falta"
                " documentación. Tiene diez días hábiles para enviarla; mientras tanto el plazo queda"
                " en suspenso.\n\nUn saludo,\n((unit))",
                "texts": {
                    "ca": "Bon dia, ((citizen)):\n\nPer continuar amb la vostra sol·licitud ((reference))"
                    " ens falta documentació. Teniu deu dies hàbils per enviar-la; mentrestant el"
                    " termini queda en suspens.\n\nSalutacions,\n((unit))",
                },
                "moves": [ASK],
            },
            {
                "code": "resuelta",
                "name": "Aviso de resolución",
                "text": "Buenos días, ((citizen)):\n\nSu solicitud ((reference)) está resuelta: ((outcome))."
                " Recibirá la notificación con los recursos que caben.\n\nUn saludo,\n((unit))",
                "moves": [RESOLVE],
            },
            {
                "code": "estado",
                "name": "Cómo va su solicitud",
                "text": "Buenos días, ((citizen)):\n\nSu solicitud ((reference)) está así: ((state)). El plazo"
                " para resolverla termina el ((due)).\n\nUn saludo,\n((unit))",
            },
        ],
    },
    "incident": {
        "states": _states(
            ("recibido", "Recibido", "new"),
            ("en_curso", "En actuación", "open"),
            ("datos", "Pendiente de datos", "waiting_citizen"),
            ("contrata", "Pendiente de otro servicio", "waiting_third_party"),
            ("solucionado", "Solucionado", "resolved"),
            ("cerrado", "Cerrado sin actuación", "closed"),
        ),
        "initial": "recibido",
        "moves": [
            _move(START, "Empezar la actuación", "recibido", "en_curso"),
            _move(ASK, "Pedir datos", "recibido en_curso", "datos", "reason"),
            _move(REPORT, "Avisar a otro servicio", "recibido en_curso", "contrata", "reason"),
            _move(BACK, "Seguir la actuación", "datos contrata", "en_curso"),
            _move(RESOLVE, "Dar por solucionado", "en_curso contrata", "solucionado", "outcome"),
            _move(
                CLOSE,
                "Cerrar sin actuación",
                "recibido en_curso datos contrata",
                "cerrado",
                "reason",
            ),
            _move(REOPEN, "Reabrir", "solucionado cerrado", "en_curso", "reason"),
        ],
    },
    "enquiry": {
        "states": _states(
            ("recibida", "Recibida", "new"),
            ("en_estudio", "En estudio", "open"),
            ("a_la_espera", "A la espera de la persona", "waiting_citizen"),
            ("otra_unidad", "A la espera de otra unidad", "waiting_third_party"),
            ("respondida", "Respondida", "resolved"),
            ("cerrada", "Cerrada", "closed"),
        ),
        "initial": "recibida",
        "moves": [
            _move(START, "Empezar a estudiar", "recibida", "en_estudio"),
            _move(ASK, "Preguntar a la persona", "recibida en_estudio", "a_la_espera", "reason"),
            _move(
                REPORT, "Preguntar a otra unidad", "recibida en_estudio", "otra_unidad", "reason"
            ),
            _move(BACK, "Seguir con el estudio", "a_la_espera otra_unidad", "en_estudio"),
            _move(RESOLVE, "Responder", "recibida en_estudio", "respondida", "outcome"),
            _move(
                CLOSE, "Cerrar", "recibida en_estudio a_la_espera otra_unidad", "cerrada", "reason"
            ),
            _move(REOPEN, "Reabrir", "respondida cerrada", "en_estudio", "reason"),
        ],
    },
}
