import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0008_idempotent_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="board",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="dispatch.board"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="about",
            field=models.CharField(blank=True, default="", max_length=150),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="message",
            name="topic",
            field=models.CharField(blank=True, default="", max_length=250),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="message",
            name="job",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="dispatch.job"
            ),
        ),
    ]
