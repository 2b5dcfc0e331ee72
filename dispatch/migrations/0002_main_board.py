"""Makes the board `main`, so that a new installation has somewhere to put its first job."""

from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("dispatch", "Board").objects.get_or_create(slug="main", defaults={"name": "QuickDumpNow"})


def unmake(apps, schema_editor):
    boards = apps.get_model("dispatch", "Board").objects
    boards.filter(slug="main", jobs__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0001_boards_jobs_and_history")]
    operations = [migrations.RunPython(make, unmake)]
