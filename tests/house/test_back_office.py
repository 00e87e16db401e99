"""The technical back office: staff see their own organisation's rows, and nobody else sees any."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.test import Client

from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.scoping import ScopedQuerySet
from tests.house.asking import told, writes
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

SITES = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)
OURS = [
    item
    for item in SITES
    if isinstance(item[0]._default_manager.all(), ScopedQuerySet) or item[0] is User
]
THEIRS = [item for item in SITES if item not in OURS]  # of the installation: superusers only
PLACES = ("changelist", "add", "change", "delete", "history")


def _address(model: type, place: str, pk: object = 999_999_999) -> str:
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"  # type: ignore[attr-defined]
    return {"changelist": base, "add": f"{base}add/"}.get(place, f"{base}{pk}/{place}/")


def _staff(estate: Estate, name: str) -> Client:
    """That caller as a member of the technical staff."""
    side = estate.elsewhere if name == "stranger" else estate.here
    user = side.everything if name in {"stranger", "everything"} else getattr(side, name)
    type(user).objects.filter(pk=user.pk).update(is_staff=True)
    return estate.caller(name)


def _of(model: type, estate: Estate) -> object:
    """A row of this model in the first organisation."""
    held = [*vars(estate.here).values(), estate.here.entry]
    found = [row for row in held if isinstance(row, model)]
    assert found, f"say in tests/house/estate.py what one {model.__name__} is"
    return found[0]


IDS = {"ids": lambda item: item[0]._meta.label}


@pytest.mark.parametrize("item", SITES, **IDS)
@pytest.mark.parametrize("place", PLACES)
def test_nobody_and_no_employee_comes_in(
    item: tuple[type, ModelAdmin], place: str, estate: Estate
) -> None:
    for caller in ("nobody", "everything", "auditor") if place == "change" else ("everything",):
        answer = estate.caller(caller).get(_address(item[0], place))
        assert answer.status_code == 302, caller
        assert answer["Location"].startswith(("/admin/login/", "/entrar/")), caller


@pytest.mark.parametrize("item", OURS, **IDS)
def test_to_staff_elsewhere_a_row_does_not_exist(
    item: tuple[type, ModelAdmin], estate: Estate
) -> None:
    model, _site = item
    row = _of(model, estate)
    stranger = _staff(estate, "stranger")
    for place in ("change", "delete", "history"):
        with writes() as written:
            answer = stranger.get(_address(model, place, row.pk))  # type: ignore[attr-defined]
        stranger.cookies.pop(
            "messages", None
        )  # « X does not exist », which the next page would show
        none = stranger.get(_address(model, place))
        stranger.cookies.pop("messages", None)
        assert answer.status_code == none.status_code, place
        assert answer.status_code in {302, 403, 404}
        said = told(answer, {"": f"/{row.pk}/"})  # type: ignore[attr-defined]
        assert said == told(none, {"": "/999999999/"})
        assert not written
    listed = stranger.get(_address(model, "changelist"))
    if listed.status_code == 200:
        assert f"/{row.pk}/change/" not in listed.content.decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("item", OURS, **IDS)
def test_staff_without_the_right_is_refused(item: tuple[type, ModelAdmin], estate: Estate) -> None:
    model, _site = item
    pk = _of(model, estate).pk  # type: ignore[attr-defined]
    client = _staff(estate, "nothing")
    for place in PLACES:
        answer = client.get(_address(model, place, pk))
        assert answer.status_code in {302, 403}, (place, answer.status_code)


@pytest.mark.parametrize("item", OURS, **IDS)
def test_staff_looks_and_changes_nothing_and_the_look_is_written_down(
    item: tuple[type, ModelAdmin], estate: Estate
) -> None:
    model, site = item
    pk = _of(model, estate).pk  # type: ignore[attr-defined]
    client = _staff(estate, "everything")
    assert client.get(_address(model, "changelist")).status_code == 200
    before = AuditEntry.objects.unscoped("counting").count()
    seen = client.get(_address(model, "change", pk))
    assert seen.status_code == 200
    assert AuditEntry.objects.unscoped("counting").count() == before + 1
    for place in ("add", "change", "delete"):
        with writes() as written:
            answer = client.post(_address(model, place, pk), {"post": "yes"})
        assert answer.status_code in {302, 403, 405}, (place, answer.status_code)
        assert not set(written) - {"django_admin_log"}, written
    assert site.actions in ((), []) or not site.has_change_permission.__self__.actions


@pytest.mark.parametrize("item", THEIRS, **IDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_the_installations_is_for_superusers(
    item: tuple[type, ModelAdmin], place: str, estate: Estate
) -> None:
    answer = _staff(estate, "everything").get(_address(item[0], place))
    assert answer.status_code in {302, 403}, answer.status_code


@pytest.mark.parametrize(
    "address", ["/admin/search/?s=a", "/admin/autocomplete/", "/admin/jsi18n/"]
)
def test_the_back_offices_helpers_tell_nothing(address: str, estate: Estate) -> None:
    for caller in ("nobody", "nothing"):
        assert estate.caller(caller).get(address).status_code in {302, 403, 404}
    answer = _staff(estate, "stranger").get(address)
    assert answer.status_code < 500
    body = answer.content.decode()
    assert estate.here.citizen.full_name not in body
    assert estate.here.case.reference not in body


HOSTILE = (
    "at__year=999999999", "at__gte=foo", "at__date=2026-13-45", "created_at__year=999999999",
    "created_at__month=99", "created_at__day=-1", "start_time__year=999999999", "start_time__year=foo",
    "start_time__year=2026&start_time__month=13", "start_time__gte=foo", "last_run_at__gte=foo",
    "enabled__exact=foo", "is_staff__exact=foo", "result__exact=foo", "category__exact=foo",
    "category__exact=99999999999999999999999", "category__year=1", "category__regex=(", "state__in=",
    "result__isnull=foo", "status__range=1", "pk=foo", "pk__in=foo", "id=99999999999999999999999",
    "uuid=foo", "password__startswith=p", "organisation__options__foo=1", "no_such_field=1", "data__act=x",
    "p=foo", "p=-1", "p=99999999999999999999", "o=foo", "o=99999999999999999999", "o=-1.2.x", "q=%00",
    "q=" + "x" * 3000, "p=2", "category__exact=1&p=3", "_to_field=password", "_popup=1", "_facets=1", "all=", "e=1", "year=999999999",
    "_changelist_filters=%25ZZ", "at__year=2026&at__month=99&at__day=99",
)  # fmt: skip


@pytest.mark.parametrize("item", SITES, **IDS)
def test_hostile_filters_give_a_page_or_are_told_to_be_wrong(
    item: tuple[type, ModelAdmin], estate: Estate
) -> None:
    """`/admin/audit/auditentry/?at__year=999999999` was an error of ours."""
    client = _superuser(estate)
    for query in HOSTILE:
        answer = client.get(f"{_address(item[0], 'changelist')}?{query}", follow=True)
        assert answer.status_code in {200, 400}, (query, answer.status_code)


@pytest.mark.parametrize("item", SITES, **IDS)
@pytest.mark.parametrize("place", ["change", "delete", "history"])
def test_a_key_that_is_none_leads_nowhere(
    item: tuple[type, ModelAdmin], place: str, estate: Estate
) -> None:
    client = _superuser(estate)
    for pk in ("foo", "99999999999999999999999", "-1", "_00", "a b", "x" * 500):
        answer = client.get(_address(item[0], place, pk), follow=True)
        assert answer.status_code in {200, 400, 403, 404}, (pk, answer.status_code)


@pytest.mark.parametrize("item", OURS, **IDS)
def test_what_is_offered_as_a_filter_filters(item: tuple[type, ModelAdmin], estate: Estate) -> None:
    model, site = item
    client = _superuser(estate)
    page = client.get(_address(model, "changelist"))
    for spec in page.context["cl"].filter_specs:
        for choice in spec.choices(page.context["cl"]):
            answer = client.get(_address(model, "changelist") + choice["query_string"])
            assert answer.status_code == 200, choice["query_string"]
    assert len(page.context["cl"].filter_specs) == len(site.list_filter)


@pytest.mark.parametrize("item", SITES, **IDS)
def test_the_pages_need_nothing_that_the_policy_of_content_forbids(
    item: tuple[type, ModelAdmin], estate: Estate
) -> None:
    """Unfold's Alpine could not run, so that its search lay over every page and could not be closed."""
    page = _superuser(estate).get(_address(item[0], "changelist")).content.decode()
    assert "js/admin.js" in page
    assert "unfold/js" not in page
    assert "openCommandResults" not in page
    for script in re.findall(r"<script\b[^>]*>", page):
        assert "src=" in script or "application/json" in script, script


def _superuser(estate: Estate) -> Client:
    """Whoever runs the installation."""
    user = estate.here.everything
    type(user).objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client = estate.caller("everything")
    client.raise_request_exception = False
    return client
