"""The project itself as an app: its system checks and the `demo` command."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "qdn"
    verbose_name = "QuickDumpNow Dispatch"

    def ready(self) -> None:
        from qdn import checks  # noqa: F401 importing registers them, and Django wants that here
