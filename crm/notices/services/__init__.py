"""What is done with news: told once to whom they concern, read, chosen, and sent by e-mail."""

from crm.notices.services.choices import choose, keep_quiet, switched_on
from crm.notices.services.digests import owe_digests
from crm.notices.services.reading import mark_all_read, mark_read
from crm.notices.services.telling import News, done_by, forget_old, notify

__all__ = [
    "News",
    "choose",
    "done_by",
    "forget_old",
    "keep_quiet",
    "mark_all_read",
    "mark_read",
    "notify",
    "owe_digests",
    "switched_on",
]
