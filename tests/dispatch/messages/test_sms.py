import pytest

from dispatch.messages import sms


class Ours:
    def send(self, to, text, dedupe_key):
        return "ours"

    def opted_out(self):
        return ()


def test_the_console_prints_a_text_in_a_line(settings, capsys):
    settings.SMS_BACKEND = "dispatch.messages.sms.ConsoleSms"

    name = sms.provider().send("+13035550123", "We are on our way.\nhttps://example.com/track/x", "key")

    assert (name, list(sms.provider().opted_out())) == ("", [])
    assert capsys.readouterr().out == "Text to +13035550123: We are on our way. https://example.com/track/x\n"


@pytest.mark.parametrize(
    "path",
    [
        "dispatch.messages.sms.ConsoleSms",
        "dispatch.messages.sms_aws.SnsSms",
        "dispatch.messages.sms_aws.EndUserMessagingSms",
    ],
)
def test_the_setting_names_the_class_and_one_instance_serves_all(settings, path):
    settings.SMS_BACKEND = path

    made = sms.provider()

    assert f"{type(made).__module__}.{type(made).__qualname__}" == path
    assert sms.provider() is made
