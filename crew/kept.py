"""What all admin pages of the crews share: nothing is deleted, and a style sheet."""

from typing import Any, ClassVar

from django.http import HttpRequest

from dispatch.admin import NothingIsDeleted


class Kept(NothingIsDeleted):
    class Media:
        css: ClassVar = {"all": ["crew/admin.css"]}


class OnlyToLookAt(Kept):
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
