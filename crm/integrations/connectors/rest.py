"""REST: one GET with the person's number in the address, answered in JSON."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from crm.integrations.models import Outcome
from crm.integrations.ports import NoReply, Question, Reply
from crm.kit import http
from crm.kit.circuit import Circuit

MOST_BYTES = 256 * 1024


class Rest:
    """The connector."""

    def ask(self, question: Question, circuit: Circuit) -> Reply:
        """404 and 204 mean that it has nothing on record."""
        path = question.path.replace("{number}", quote(question.number, safe=""))
        try:
            answer = http.ask(
                f"{question.base_url.rstrip('/')}/{path.lstrip('/')}",
                headers={"Accept": "application/json", **question.headers},
                circuit=circuit,
                seconds=question.seconds,
                retries=question.retries,
                most_bytes=MOST_BYTES,
            )
        except http.CallFailed as error:
            raise NoReply(error.code) from error
        status, size = answer.status, len(answer.body)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.NO_CONTENT):
            return Reply(None, status, size)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise NoReply(Outcome.REFUSED, status, size)
        if status != HTTPStatus.OK:
            raise NoReply(Outcome.STATUS, status, size)
        return Reply(_read(answer.body, status), status, size)


def _read(body: bytes, status: int) -> Any:
    try:
        if body.count(b"{") + body.count(b"[") > MOST_BYTES // 8:
            raise ValueError("deeper or longer than any answer")
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoReply(Outcome.WRONG, status, len(body)) from error
