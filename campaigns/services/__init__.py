"""The verbs of the campaigns room."""

from campaigns.services.feedback import answered_by_machine, bounced, complained

__all__ = ["answered_by_machine", "bounced", "complained"]
