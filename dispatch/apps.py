from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "dispatch"

    def ready(self) -> None:
        from . import access
        from .messages import audiences, of_jobs

        access.connect()
        audiences.register("job", of_jobs.Customers())
