from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0011_every_message_has_a_board"),
    ]

    operations = [
        migrations.AlterField(
            model_name="board",
            name="messages_on",
            field=models.BooleanField(
                default=True,
                help_text="Off: no texts and e-mails to customers and crews, except the links that crews sign in with. "
                "What waits goes out when this is on again, unless it would come too late.",
                verbose_name="messages are sent",
            ),
        ),
    ]
