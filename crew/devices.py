"""How a member proves who they are: a link by e-mail or text, once, and from then on the phone that followed it. There is
no password. Only hashes of what is secret are kept.
"""

import hashlib
import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone


def new_secret() -> str:
    """256 random bits, as they stand in a link or in a cookie."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a secret. It is random enough that a fast hash does."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SignInLink(models.Model):
    """Works once, for a quarter of an hour. Looking at it does not use it up: mail scanners do that."""

    member = models.ForeignKey("crew.Member", on_delete=models.CASCADE, related_name="sign_in_links")
    secret = models.CharField(max_length=64, unique=True)  # its hash
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "crew"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.member}, {self.created_at:%Y-%m-%d %H:%M}"


class Device(models.Model):
    """A phone that stays signed in until it is revoked. `secret` is the hash of what stands in its cookie."""

    member = models.ForeignKey("crew.Member", on_delete=models.CASCADE, related_name="devices")
    secret = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True)  # such as “Safari on iPhone”
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "crew"
        ordering: ClassVar = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"{self.member}: {self.name or 'a phone'}"
