"""Each message has the board of its job. Backwards, what is about no job goes: without a board there is no place for it."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    jobs = apps.get_model("dispatch", "Job").objects.filter(pk=OuterRef("job_id"))
    messages = apps.get_model("dispatch", "Message").objects.filter(board=None)
    messages.update(board_id=Subquery(jobs.values("board_id")[:1]))


def forget_others(apps, schema_editor):
    apps.get_model("dispatch", "Message").objects.filter(job=None).delete()


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0009_messages_about_more_than_jobs")]
    operations = [migrations.RunPython(fill, forget_others)]
