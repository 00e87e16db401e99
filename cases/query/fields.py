"""What a list of cases can be asked: each field with its names, how values are read and what they mean."""

from django.utils.translation import gettext_lazy as _

from cases.lists import is_reference
from cases.query import meanings, values
from cases.query.asking import Asking, people_offered, person
from crm.kit.query import NAMES, Field, Vocabulary, folded

_category, _categories = values.one_of(values.CATEGORIES)
_channel, _channels = values.one_of(values.CHANNELS)
_priority, _priorities = values.one_of(values.PRIORITIES)
_level, _levels = values.one_of(values.CONFIDENTIALITY)
_language, _languages = values.one_of(values.LANGUAGES)
_had, _haves = values.one_of(values.HAS)
_task, _tasks = values.one_of(values.TASKS)
_transfer, _transfers = values.one_of(values.TRANSFERS)
_event, _events = values.one_of(values.EVENTS)
_service, _services = values.one_of(values.SERVICE)
_measure, _measures = values.one_of(values.MEASURES)
_silent, _silences = values.one_of(values.SILENCE)
_past, _future = values.date_of(ahead=False), values.date_of(ahead=True)
_dates = values.dates_offered

FIELDS: tuple[Field[Asking], ...] = (
    Field(
        *("type", "tipo", _("Case type"), values.case_type, meanings.case_type),
        offers=values.types_offered,
    ),
    Field(
        *("state", "estado", _("State"), values.state, meanings.state),
        offers=values.states_offered,
    ),
    Field(
        *("unit", "unidad", _("Unit"), values.unit, meanings.unit),
        offers=values.units_offered,
    ),
    Field(
        *("assignee", "responsable", _("Assignee"), values.assignee, meanings.assignee),
        offers=values.assignees_offered,
        others=("asignado", "asignada"),
    ),
    Field(
        *("due", "vence", _("Due date"), _future, meanings.due),
        offers=_dates,
        others=("plazo",),
        compares=True,
    ),
    Field(
        *("service", "servicio", _("Service targets"), _service, meanings.service),
        offers=_services,
    ),
    Field(
        *("target", "objetivo", _("Nearest service target"), _future, meanings.target),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("first-answer", "primera-respuesta", _("First answer"), _future),
        meanings.measured("first_answer"),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("next-answer", "siguiente-respuesta", _("Next answer"), _future),
        meanings.measured("next_answer"),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("resolution", "resolución", _("Resolution"), _future),
        meanings.measured("resolution"),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("silence", "silencio", _("Effect of silence"), _silent, meanings.silence),
        offers=_silences,
    ),
    Field(
        *("breached", "incumplido", _("Service target missed"), _measure, meanings.breached),
        offers=_measures,
    ),
    Field(
        *("citizen", "persona", _("Citizen"), values.citizen, meanings.citizen),
        others=("ciudadano", "ciudadana", "ciudadanía"),
        personal=True,
    ),
    Field(
        *("represented-by", "representado-por", _("Represented by"), values.citizen),
        meanings.represented_by,
        others=("representante",),
        personal=True,
    ),
    Field(
        *("opened", "abierto", _("Opened"), _past, meanings.dated("opened_at")),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("closed", "cerrado", _("Ended"), _past, meanings.dated("closed_at")),
        offers=_dates,
        others=("ended", "terminado"),
        compares=True,
    ),
    Field(
        *("updated", "cambiado", _("Last change"), _past, meanings.dated("updated_at")),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("suspended", "suspendido", _("Suspended since"), _past, meanings.suspended),
        offers=_dates,
        compares=True,
    ),
    Field(
        *("category", "categoría", _("Category"), _category, meanings.equal("category")),
        offers=_categories,
    ),
    Field(
        *("priority", "prioridad", _("Priority"), _priority, meanings.equal("priority")),
        offers=_priorities,
        compares=True,
    ),
    Field(
        *("channel", "canal", _("Channel"), _channel, meanings.equal("channel")),
        offers=_channels,
    ),
    Field(
        *("ref", "número", _("Case number"), values.reference, meanings.equal("reference")),
        others=("reference", "caso", "expediente"),
    ),
    Field(
        *("text", "texto", _("Words"), values.as_written, meanings.text),
        words=True,
        personal=True,
    ),
    Field(
        *("has", "tiene", _("Has"), _had, meanings.has),
        offers=_haves,
    ),
    Field(
        *("task", "tarea", _("Tasks"), _task, meanings.task),
        offers=_tasks,
        others=("tareas", "tasks"),
    ),
    Field(
        *("followed-by", "seguido-por", _("Followed by"), person, meanings.followed_by),
        offers=people_offered,
        others=("following", "siguiendo", "sigue"),
    ),
    Field(
        *("transfer", "traslado", _("Transfer"), _transfer, meanings.transfer),
        offers=_transfers,
    ),
    Field(
        *("moved-to", "pasado-a", _("Moved to"), values.state_codes),
        offers=values.state_codes_offered,
        about=meanings.HAPPENED,
    ),
    Field(
        *("moved-from", "salido-de", _("Moved from"), values.state_codes),
        offers=values.state_codes_offered,
        about=meanings.HAPPENED,
    ),
    Field(
        *("assigned-to", "asignado-a", _("Assigned to"), person),
        offers=people_offered,
        about=meanings.HAPPENED,
    ),
    Field(
        *("event", "suceso", _("What happened"), _event),
        offers=_events,
        about=meanings.HAPPENED,
    ),
    Field(
        *("by", "por", _("By whom"), person),
        offers=people_offered,
        about=meanings.HAPPENED,
    ),
    Field(
        *("when", "cuándo", _("When"), _past),
        offers=_dates,
        about=meanings.HAPPENED,
        compares=True,
    ),
    Field(
        *("confidentiality", "confidencialidad", _("Confidentiality"), _level),
        meanings.equal("confidentiality"),
        offers=_levels,
        compares=True,
    ),
    Field(
        *("language", "idioma", _("Language of the citizen"), _language),
        meanings.equal("language"),
        offers=_languages,
    ),
    Field(*("source", "origen", _("Source system"), values.as_written), meanings.equal("source")),
    Field(
        *("external", "externo", _("Number in the source system"), values.as_written),
        meanings.equal("external_id"),
        personal=True,
    ),
    Field(
        *("state-code", "código-estado", _("Code of the state"), values.state_codes),
        meanings.state_code,
        offers=values.state_codes_offered,
    ),
)


def _word(word: str) -> str:
    """A case's number by itself is one; beside what happened, a period is its when."""
    if is_reference(word):
        return "ref"
    return "when" if folded(word) in NAMES else ""


CASES: Vocabulary[Asking] = Vocabulary(
    fields=FIELDS,
    says=meanings.words,
    word=_word,
    same={meanings.HAPPENED: meanings.happened},
)
