"""Wiring of the accounts room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

from crm.kit import nav
from crm.kit.errors import Text
from crm.kit.nav import NavItem


class AccountsConfig(AppConfig):
    """Floor 3."""

    name = "crm.accounts"
    verbose_name = _("Employees")

    def ready(self) -> None:
        """Listen to what Django and allauth say of the door, send the room's mail, offer its pages."""
        from allauth.account import signals as account
        from allauth.mfa import signals as factor
        from django.contrib.auth.signals import user_logged_in

        from crm.accounts import authentication, mail  # noqa: F401 - mail registers its effects
        from crm.accounts.catalogue import create_permissions
        from crm.accounts.services import units
        from crm.organisations import ports

        autodiscover_modules("permissions")  # the catalogue is whole before anybody asks
        post_migrate.connect(create_permissions, sender=self)
        user_logged_in.connect(authentication.signed_in)
        account.password_changed.connect(authentication.password_changed)
        account.password_set.connect(authentication.password_changed)
        account.password_reset.connect(authentication.password_changed)
        factor.authenticator_used.connect(authentication.second_factor_used)
        factor.authenticator_added.connect(authentication.second_factor_added)
        factor.authenticator_removed.connect(authentication.second_factor_removed)
        factor.authenticator_reset.connect(authentication.second_factor_renewed)
        factor.authentication_failed.connect(authentication.second_factor_failed)
        ports.closing_checks.register("people", units.reason_to_stay_open)
        ports.movers.register("people", units.move_all)
        for place in _places():
            nav.add(place)


def _places() -> list[NavItem]:
    def settings(
        key: str, label: Text, short: Text, icon: str, permission: str, order: int
    ) -> NavItem:
        return NavItem(
            key,
            label,
            icon,
            f"accounts:{key}",
            short=short,
            permission=permission,
            group="settings",
            order=order,
        )

    return [
        settings("people", _("Employees"), "", "id-badge-2", "accounts.invite_user", 60),
        settings(
            "roles",
            _("Roles and permissions"),
            _("Roles"),
            "shield-lock",
            "accounts.grant_role",
            61,
        ),
        settings(
            "clients",
            _("Connected systems"),
            _("Systems"),
            "plug-connected",
            "accounts.manage_api_clients",
            62,
        ),
        NavItem("profile", _("My profile"), "user", "accounts:profile", group="command", order=90),
        NavItem(
            "why",
            _("Why may somebody…?"),
            "help",
            "accounts:why",
            permission="accounts.grant_role",
            group="command",
            order=91,
        ),
        NavItem(
            "invite",
            _("Invite somebody"),
            "user-plus",
            "accounts:invite",
            permission="accounts.invite_user",
            group="command",
            order=92,
        ),
    ]
