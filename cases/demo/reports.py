"""What neighbours of the town reported through other applications, and anybody may read."""

from cases.models import Case, Confidentiality
from crm.integrations.models import PublishedService
from crm.kit.demo import Demo, Seeder, seeders

_PUBLIC = 150


def fill(demo: Demo) -> None:
    """The newest cases of the services that the town publishes are public."""
    for service in PublishedService.objects.unscoped("the demo's own").filter(public=True):
        cases = Case.objects.unscoped("the demo's own").filter(
            organisation=service.organisation_id,
            case_type__code=service.case_type,
            confidentiality=Confidentiality.INTERNAL,
        )
        newest = cases.order_by("-opened_at").values("pk")[: demo.share(_PUBLIC)]
        found = Case.objects.unscoped("the demo's own").filter(
            pk__in=list(newest.values_list("pk", flat=True))
        )
        demo.made["public reports"] += found.update(
            confidentiality=Confidentiality.PUBLIC, source="open311"
        )


seeders.register("public reports", Seeder(7, fill))
