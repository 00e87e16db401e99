"""Public employees, their roles and memberships, and the systems connected to an organisation."""

from datetime import datetime
from typing import Any, ClassVar

import pghistory
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.kit.models import Base, Owned, uuid7
from crm.kit.scoping import ScopedQuerySet


class UserManager(BaseUserManager["User"]):
    """Makes users; the address is their name at the door."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with this address; without a password nobody can sign in with one."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A technical administrator of the installation (not of any organisation's data)."""
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, state=User.State.ACTIVE, **fields
        )

    def get_by_natural_key(self, username: str | None) -> "User":
        """Addresses are compared without case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """An employee's account. What it may do hangs on its roles, per organisation."""

    class State(models.TextChoices):
        """Of the account."""

        INVITED = "invited", _("Invited")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    full_name = models.CharField(_("full name"), max_length=150)
    state = models.CharField(max_length=10, choices=State, default=State.INVITED)
    is_staff = models.BooleanField(_("technical back office"), default=False)
    language = models.CharField(_("language"), max_length=16, default="es")
    theme = models.CharField(max_length=10, default="auto")
    density = models.CharField(max_length=12, default="comfortable")
    rail = models.CharField(max_length=10, default="auto")
    single_key_shortcuts = models.BooleanField(default=True)
    columns = models.JSONField(default=dict, blank=True)  # list page → columns chosen
    previous_login = models.DateTimeField(null=True, blank=True)  # the one before last_login
    failed_logins = models.PositiveIntegerField(default=0)  # since last_login
    current_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        """The first name, for a greeting."""
        return self.full_name.partition(" ")[0]

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Only active accounts sign in."""
        return self.state == self.State.ACTIVE


class MembershipQuerySet(ScopedQuerySet["Membership"]):
    """Who works where."""

    def in_force(self) -> "MembershipQuerySet":
        """Those by which somebody may act: neither ended nor suspended."""
        return self.filter(ended_at=None, suspended_at=None)


@pghistory.track()
class Membership(Base):
    """An employee works for an organisation, in a unit; takes one of its seats until it ends."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="membership_set"
    )
    organisation_id: int
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="members"
    )
    suspended_at = models.DateTimeField(null=True, blank=True)  # for a time, in this organisation
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user"],
                condition=Q(ended_at=None),
                name="membership_once_while_it_lasts",
            ),
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(ended_at=None), name="membership_of_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"


class AbsenceQuerySet(ScopedQuerySet["Absence"]):
    """Who is not there, and when."""

    def in_force(self, at: datetime) -> "AbsenceQuerySet":
        """Those that last at a moment."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)


@pghistory.track()
class Absence(Owned):
    """An employee is not at work here for a time, and who stands in meanwhile.

    It has no kind and no reason: work has to know that somebody is away, not that they are ill
    (data minimisation, RGPD art. 5.1.c).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="absences")
    user_id: int
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    substitute = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    substitute_id: int | None
    returns = models.BooleanField(default=True)  # what was handed over comes back at its end
    settled = models.BooleanField(default=False)  # it is over, and what comes back has come back

    objects = AbsenceQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=~Q(substitute=F("user")), name="absence_substitute_is_another"
            ),
            ExclusionConstraint(
                name="absence_once_at_a_time",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                    (
                        Func(F("starts_at"), F("ends_at"), Value("[)"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"], condition=Q(settled=False), name="absence_not_settled"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.starts_at:%Y-%m-%d}"


@pghistory.track()
class Role(Owned):
    """An editable set of permissions. `exclusive` roles (audit) combine with no other."""

    code = models.SlugField(max_length=40)
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=240, blank=True)
    exclusive = models.BooleanField(_("combines with no other role"), default=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="role_code_once"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class RolePermission(models.Model):
    """A permission of a role: where the role is given, or everywhere in the organisation."""

    class Reach(models.TextChoices):
        """How far it goes for somebody who has the role in a unit."""

        PLACE = "place", _("Their unit")
        EVERYWHERE = "everywhere", _("Whole organisation")

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="permissions")
    permission = models.CharField(max_length=80)  # its name in crm.kit.policy.catalogue
    reach = models.CharField(max_length=12, choices=Reach, default=Reach.PLACE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "permission"], name="role_permission_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.permission}"


class RolePlace(models.Model):
    """A role given at a place: the Django group whose guardian permissions lie on that place.

    `unit` None is the organisation itself. People have the role there by being in the group.
    """

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="places")
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, related_name="role_places"
    )
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="role_place")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "unit"], nulls_distinct=False, name="role_place_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} @ {self.unit or self.role.organisation}"

    @property
    def organisation_id(self) -> int:
        """The role's; with `unit_id`, policies place it like anything else."""
        return self.role.organisation_id


class Invitation(Owned):
    """A single-use link by which an employee sets the first password; only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    token_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("invitation")

    def __str__(self) -> str:
        return f"{self.user}"


class UserSession(models.Model):
    """Which sessions are a user's, so that they can be shown and ended."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    session = models.OneToOneField(Session, on_delete=models.CASCADE, primary_key=True)
    uuid = models.UUIDField(default=uuid7, unique=True, editable=False)
    started_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200, blank=True)  # as it calls itself

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"{self.user} {self.started_at:%Y-%m-%d %H:%M}"


class ApiClientQuerySet(ScopedQuerySet["ApiClient"]):
    """Connected systems."""

    def made_by_who_may_act(self) -> "ApiClientQuerySet":
        """Those whose maker may still act there, for they know the key; and those of the command line."""
        makers = Membership.objects.unscoped("who made a key").in_force()
        makers = makers.filter(
            user=OuterRef("created_by"),
            organisation=OuterRef("organisation"),
            user__state=User.State.ACTIVE,
        )
        return self.filter(Q(created_by=None) | Exists(makers))


class ApiClient(Owned):
    """Another system with a key: shown once, kept as a digest, for some actions, until it expires."""

    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    key_digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=80))
    expires_at = models.DateTimeField(_("expires"), null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ApiClientQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("connected system")
        verbose_name_plural = _("connected systems")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(revoked_at=None),
                name="api_client_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
