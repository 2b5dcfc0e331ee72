import smtplib

import pytest
from django.core.mail.backends import locmem

from dispatch.messages import mail
from dispatch.messages.failures import Permanent, Transient, Unreachable


class Server(locmem.EmailBackend):
    """A mail server that answers with an error of smtplib's."""

    opens, answers = None, None
    closed = 0

    def open(self):
        if self.opens:
            raise self.opens

    def close(self):
        Server.closed += 1

    def send_messages(self, messages):
        if self.answers:
            raise self.answers
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def server(monkeypatch):
    monkeypatch.setattr(mail, "get_connection", Server)
    return monkeypatch


def send():
    return mail.send("mia@example.com", "Your pickup", "We come.", "", "key-1")


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(111, "Connection refused"), smtplib.SMTPAuthenticationError(535, b"no"), TimeoutError()],
)
def test_what_fails_before_anything_is_said_is_the_servers_fault(server, error):
    server.setattr(Server, "opens", error)

    with pytest.raises(Unreachable, match="cannot open a connection to"):
        send()


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (smtplib.SMTPRecipientsRefused({"mia@example.com": (550, b"no such user mia@example.com")}), Permanent),
        (smtplib.SMTPRecipientsRefused({"mia@example.com": (450, b"greylisted")}), Transient),
        (smtplib.SMTPDataError(554, b"spam"), Permanent),
        (smtplib.SMTPDataError(451, b"later"), Transient),
        (smtplib.SMTPSenderRefused(550, b"not you", "us@example.com"), Unreachable),
        (smtplib.SMTPServerDisconnected("gone"), Transient),
        (ConnectionResetError(104, "Connection reset by peer"), Transient),
        (TimeoutError("timed out"), Transient),
    ],
)
def test_what_an_answer_means(server, error, failure):
    server.setattr(Server, "answers", error)
    before = Server.closed

    with pytest.raises(failure) as raised:
        send()

    assert type(raised.value) is failure
    assert "mia@example.com" not in str(raised.value)
    assert Server.closed == before + 1


def test_what_the_mail_says_about_itself(mailoutbox, settings):
    settings.DEFAULT_FROM_EMAIL = "Ours <dispatch@example.com>"

    name = send()

    [message] = mailoutbox
    assert message.extra_headers == {
        "Message-ID": name, "X-Dedupe-Key": "key-1", "Auto-Submitted": "auto-generated"
    }  # fmt: skip
    assert (message.from_email, message.alternatives) == ("Ours <dispatch@example.com>", [])
    assert name.endswith("@example.com>")
