"""The gateway to language models: drafts only, of masked words, and nobody waits for a server that is down."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from django.core.cache import cache

from crm.integrations.ai_providers.openai_compatible import OpenAICompatible
from crm.integrations.language import Draft, LanguageModel, ModelUnavailable, Passage, Said
from crm.integrations.masking import masked
from crm.kit.circuit import Circuit

_ITS_FAULT = frozenset({"unreachable", "tls", "timeout", "protocol", "too_large", "status"})


def language_model(url: str = "", model: str = "", key: str = "") -> LanguageModel | None:
    """The model at this address, else the installation's; None by default: rules and retrieval do."""
    if url:
        return OpenAICompatible(url, model, key)
    if not settings.LANGUAGE_MODEL_URL:
        return None
    return OpenAICompatible(
        settings.LANGUAGE_MODEL_URL, settings.LANGUAGE_MODEL_NAME, settings.LANGUAGE_MODEL_KEY
    )


def draft(
    model: LanguageModel, turns: Sequence[Said], passages: Sequence[Passage], *, seconds: float
) -> Draft:
    """The model's draft; of the citizen's words it sees none that identify or reach a person.

    Raises ModelUnavailable; at once while the server has not answered lately, or while enough
    workers wait for models: they have other things to do.
    """
    shown = [
        replace(turn, text=masked(turn.text)) if turn.by == "citizen" else turn for turn in turns
    ]
    with _turn(seconds):
        return _drafted(model, shown, passages, seconds)


def _drafted(
    model: LanguageModel, turns: Sequence[Said], passages: Sequence[Passage], seconds: float
) -> Draft:
    circuit = circuit_of(model)
    if not circuit.allows():
        raise ModelUnavailable("resting")
    try:
        found = model.draft(turns, passages, seconds=seconds)
    except ModelUnavailable as error:
        if error.code in _ITS_FAULT:
            circuit.failed()
        else:
            circuit.succeeded()
        raise
    circuit.succeeded()
    return found


@contextmanager
def _turn(seconds: float) -> Iterator[None]:
    """One of the few turns that the installation has; whoever dies with one loses it in a while."""
    keys = (f"model:turn:{number}" for number in range(settings.LANGUAGE_MODEL_AT_ONCE))
    mine = next((key for key in keys if cache.add(key, 1, int(seconds) + 2)), None)
    if mine is None:
        raise ModelUnavailable("busy")
    try:
        yield
    finally:
        cache.delete(mine)


def circuit_of(model: LanguageModel) -> Circuit:
    """Shared by all who ask the same model with the same key."""
    return Circuit(f"model:{model.identity}")
