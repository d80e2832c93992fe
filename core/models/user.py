"""People who sign in: staff with one role each, and customers. The route table says what each may open.

A customer is no `Role`: roles are those of staff, so whatever is open to every role stays closed to customers.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    MARKETER = "marketer", _("Marketer")
    AGENT = "agent", _("Agent")
    VIEWER = "viewer", _("Viewer")


CUSTOMER: Final = "customer"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(
            email, password, **{"role": Role.ADMIN, "is_staff": True, "is_superuser": True, **fields}
        )

    def staff(self) -> "QuerySet[User]":
        return self.exclude(role=CUSTOMER)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        INVITED = "invited", _("Invited")
        EXPIRED = "expired", _("Invitation expired")
        CLOSED = "closed", _("Deactivated")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(
        _("role"), max_length=10, choices=[*Role.choices, (CUSTOMER, _("Customer"))], default=Role.VIEWER
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the admin site"), default=False)
    may_export = models.BooleanField(_("may export"), default=False)  # admins may anyway: see can_export
    language = models.CharField(_("language"), max_length=8, blank=True)  # "": the browser's
    invited_until = models.DateTimeField(null=True, blank=True, editable=False)  # until then a password can be chosen
    session_epoch = models.PositiveIntegerField(default=0, editable=False)  # one more ends every session
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_whatever_the_case"),
            models.CheckConstraint(condition=models.Q(role__in=[*Role.values, CUSTOMER]), name="user_has_a_known_role"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session is bound to: not the password alone, as Django has it, but all that gives it its rights."""
        rights = (self.role, self.may_export, self.is_staff, self.is_superuser, self.session_epoch)
        parts = "\n".join([self.password, *map(str, rights)])
        return salted_hmac("core.models.user.session", parts, secret=secret, algorithm="sha256").hexdigest()

    def state_at(self, at: datetime) -> State:
        if not self.is_active:
            return self.State.CLOSED
        if self.invited_until is None:
            return self.State.ACTIVE
        return self.State.INVITED if at < self.invited_until else self.State.EXPIRED

    @property
    def is_customer(self) -> bool:
        return self.role == CUSTOMER

    @property
    def can_export(self) -> bool:
        """Whether data may be taken out: a permission of its own, which admins always have."""
        return self.may_export or self.role == Role.ADMIN
