"""People and trucks: what the admin keeps."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from dispatch.ids import new_uid
from dispatch.phones import validate_phone


class Role(models.TextChoices):
    CAPTAIN = "captain", "Captain"
    FIRST_MATE = "first_mate", "First mate"


class Member(models.Model):
    """Somebody who goes out with a truck."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        SPANISH = "es", "Spanish"

    uid = models.CharField(max_length=64, unique=True, default=new_uid, editable=False)
    board = models.ForeignKey("dispatch.Board", on_delete=models.PROTECT, related_name="members")
    name = models.CharField(max_length=100, help_text="Customers see the first name, colleagues all of it.")
    phone = models.CharField(max_length=16, blank=True, validators=[validate_phone])
    email = models.EmailField(blank=True, help_text="Where the link to sign in goes. Without one, by text.")
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    can_captain = models.BooleanField("captain", default=False, help_text="May lead an event.")
    can_first_mate = models.BooleanField("first mate", default=True, help_text="May claim a first mate's place.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting somebody who left.")
    user = models.OneToOneField(
        "auth.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="member",
        help_text="Their account, if they work in the office, too.",
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        app_label = "crew"
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phone"], condition=~Q(phone=""), name="member_phone_once"),
            models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="member_email_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.name

    def may_be(self, role: str) -> bool:
        return self.can_captain if role == Role.CAPTAIN else self.can_first_mate

    def clean(self) -> None:
        self.name, self.email = " ".join(self.name.split()), self.email.strip().lower()
        if not self.name:
            raise ValidationError({"name": "A name is needed."})
        if not (self.phone or self.email):
            raise ValidationError("A phone number or an e-mail address is needed: that is where the plan goes.")


class Truck(models.Model):
    board = models.ForeignKey("dispatch.Board", on_delete=models.PROTECT, related_name="trucks")
    name = models.CharField(max_length=50, help_text="As it is called in the yard: Truck 2, Big Red.")
    is_active = models.BooleanField("active", default=True)

    class Meta:
        app_label = "crew"
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["board", "name"], name="truck_name_once_per_board")]

    def __str__(self) -> str:
        return self.name
