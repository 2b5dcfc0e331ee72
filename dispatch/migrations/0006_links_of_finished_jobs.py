"""When the tracking links of jobs end that are over already: 30 days after they were. Where that was before, the number is
dated back, so that workers find the public copies that are to go.
"""

from datetime import timedelta

from django.db import migrations
from django.db.models import F
from django.utils import timezone


def fill(apps, schema_editor):
    finished = apps.get_model("dispatch", "Job").objects.filter(status__in=["completed", "cancelled"])
    finished.update(link_ends_at=F("status_at") + timedelta(days=30))
    finished.filter(link_ends_at__lte=timezone.now()).update(seq_at=F("status_at"))


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0005_customers_and_messages")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
