from django.apps import AppConfig


class CrewConfig(AppConfig):
    name = "crew"

    def ready(self) -> None:
        from dispatch.messages import audiences

        from . import message_readers, viewers

        viewers.connect()
        audiences.register("crew", message_readers.Crews())
