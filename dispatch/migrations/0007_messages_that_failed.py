from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0006_links_of_finished_jobs"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("status", "failed")), fields=["settled_at"], name="message_failed"),
        ),
    ]
