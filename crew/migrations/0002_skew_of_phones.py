"""How far a phone's clock was off when somebody clocked in or out."""

import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crew", "0001_roster_and_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="shift",
            name="started_skew",
            field=models.DurationField(default=datetime.timedelta),
        ),
        migrations.AddField(
            model_name="shift",
            name="ended_skew",
            field=models.DurationField(default=datetime.timedelta),
        ),
    ]
