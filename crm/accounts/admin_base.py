"""The base of every room's back office, under the name that the rooms above know it by.

It lives with the audit trail, because the rooms below this one (audit, organisations) have one, too.
"""

from crm.audit.admin_base import ScopedAdmin, actor_of, is_superuser, note_act, note_look

__all__ = ["ScopedAdmin", "actor_of", "is_superuser", "note_act", "note_look"]
