"""When the tracking links of jobs end that are over already: 30 days after they were."""

from datetime import timedelta

from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    finished = apps.get_model("dispatch", "Job").objects.filter(status__in=["completed", "cancelled"])
    finished.update(link_ends_at=F("status_at") + timedelta(days=30))


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0005_customers_and_messages")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
