"""The language model behind its port: what it is asked, and what of its answers is taken."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import override_settings

from crm.integrations.ai import language_model
from crm.integrations.ai_providers.openai_compatible import OpenAICompatible
from crm.integrations.language import ModelUnavailable, Passage, Said

TURNS = [Said("citizen", "¿Cuánto cuesta un vado?")]
PASSAGES = [Passage(1, "Vado", "El vado cuesta 90 euros."), Passage(2, "Bici", "Hay aparcabicis.")]
Start = Callable[..., OpenAICompatible]


@pytest.fixture
def model() -> Iterator[Start]:
    """Starts a server of the protocol that answers so; returns the model behind it."""
    started: list[ThreadingHTTPServer] = []

    def start(
        content: Any, *, asked: list[Any] | None = None, wait: float = 0, status: int = 200
    ) -> OpenAICompatible:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if asked is not None:
                    asked.append((self.path, dict(self.headers), body))
                time.sleep(wait)
                answer = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with suppress(OSError):  # whoever asked did not wait
                    self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        started.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return OpenAICompatible(f"http://127.0.0.1:{server.server_port}/v1", "prueba", "clave")

    with override_settings(OUTBOUND_ALLOWED_HOSTS=["127.0.0.1"]):
        yield start
    for each in started:
        each.shutdown()
        each.server_close()


def said(text: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


def test_a_draft_rests_on_the_passages_that_it_names(model: Start) -> None:
    asked: list[Any] = []
    draft = model(said("Cuesta 90 euros [1]."), asked=asked).draft(TURNS, PASSAGES, seconds=5)
    assert (draft.text, draft.passages, draft.model) == ("Cuesta 90 euros.", (1,), "prueba")
    [(path, headers, body)] = asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer clave"
    assert (body["model"], body["temperature"]) == ("prueba", 0)
    assert body["messages"][-1] == {"role": "user", "content": "¿Cuánto cuesta un vado?"}
    assert "[2] Bici" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "content",
    [
        said("Cuesta 90 euros."),  # names no passage
        said("Cuesta 90 euros [7]."),  # one that it was not given
        said("NO ANSWER [1]"),
        said(""),
        said(None),
        {"choices": []},
        [],
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_rests_on_nothing_is_no_draft(model: Start, content: Any) -> None:
    with pytest.raises(ModelUnavailable):
        model(content).draft(TURNS, PASSAGES, seconds=5)


def test_a_server_that_refuses_or_takes_too_long_gives_no_draft(model: Start) -> None:
    with pytest.raises(ModelUnavailable):
        model(said("Cuesta 90 euros [1]."), status=500).draft(TURNS, PASSAGES, seconds=5)
    with pytest.raises(ModelUnavailable):
        model(said("Cuesta 90 euros [1]."), wait=1).draft(TURNS, PASSAGES, seconds=0.2)


def test_a_server_inside_that_nobody_named_is_not_called() -> None:
    with override_settings(OUTBOUND_ALLOWED_HOSTS=[]), pytest.raises(ModelUnavailable):
        OpenAICompatible("http://127.0.0.1:9/v1", "prueba").draft(TURNS, PASSAGES, seconds=1)


def test_by_default_there_is_none() -> None:
    assert language_model() is None
    with override_settings(LANGUAGE_MODEL_URL="http://models/v1", LANGUAGE_MODEL_NAME="m"):
        found = language_model()
    assert isinstance(found, OpenAICompatible)
    assert found.check_config() == []
    assert len(OpenAICompatible("ftp://x", "").check_config()) == 2
