"""The guard before every employee's page, under the name that the rooms above know it by.

It lives in the kit, because the rooms below this one (audit, organisations) have pages, too.
"""

from crm.kit.access import ActorRequest, GuardedView, View, needs, way_in

__all__ = ["ActorRequest", "GuardedView", "View", "needs", "way_in"]
