import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from django.core.checks import run_checks

from dispatch.messages import aws
from qdn.checks import (
    check_channel_layer,
    check_database,
    check_messages_leave,
    check_public_origin,
    check_reports,
    check_sender,
)

SES, CONSOLE = "dispatch.messages.ses.EmailBackend", "django.core.mail.backends.console.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    ("loopback", "secure", "ids"), [(True, False, []), (False, True, []), (False, False, ["qdn.W001"])]
)
def test_a_public_origin_without_tls_is_a_warning(settings, loopback, secure, ids):
    settings.LOOPBACK, settings.SECURE = loopback, secure

    assert [found.id for found in check_public_origin()] == ids


@pytest.mark.parametrize(("url", "ids"), [("redis://cache", []), ("", ["qdn.W002"])])
def test_production_without_redis_is_a_warning(settings, url, ids):
    settings.REDIS_URL = url

    assert [found.id for found in check_channel_layer()] == ids


@pytest.mark.parametrize(("engine", "ids"), [("postgresql", []), ("sqlite3", ["qdn.W003"])])
def test_production_on_sqlite_is_a_warning(monkeypatch, settings, engine, ids):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")

    assert [found.id for found in check_database()] == ids


@pytest.fixture
def stub(settings, monkeypatch):
    """SES, as it answers."""
    settings.EMAIL_BACKEND, settings.DEFAULT_FROM_EMAIL = SES, "Ours <dispatch@example.com>"
    monkeypatch.setattr(aws, "_clients", {})
    with Stubber(aws.client("sesv2")) as stubber:
        yield stubber
    aws.client("sesv2").close()


@pytest.mark.parametrize(("verified", "ids"), [(True, []), (False, ["qdn.W004"])])
def test_a_sender_that_ses_does_not_know_is_a_warning(stub, verified, ids):
    stub.add_response("get_email_identity", {"VerifiedForSendingStatus": verified})
    if not verified:
        stub.add_client_error("get_email_identity", "NotFoundException")

    assert [found.id for found in check_sender()] == ids


def test_so_is_one_that_cannot_be_asked_about(stub):
    def away(**_):
        raise EndpointConnectionError(endpoint_url="https://email.us-east-1.amazonaws.com")

    aws.client("sesv2").meta.events.register("before-send.sesv2.GetEmailIdentity", away)
    stub.deactivate()

    [found] = check_sender()

    assert found.id == "qdn.W004"
    assert found.msg.startswith("Cannot ask SES whether Ours <dispatch@example.com> is verified: cannot reach SES")


def test_nobody_asks_ses_where_mail_goes_another_way(settings):
    settings.EMAIL_BACKEND = SMTP

    assert check_sender() == []


@pytest.mark.parametrize(
    ("email", "sms", "topics", "ids"),
    [
        (SES, "us.Sms", [], ["qdn.W005"]),
        (SMTP, "dispatch.messages.sms_aws.SnsSms", [], ["qdn.W005"]),
        (SES, "dispatch.messages.sms_aws.EndUserMessagingSms", ["arn:…"], []),
        (SMTP, "us.Sms", [], []),
    ],
)
def test_sending_through_aws_without_hearing_back_is_a_warning(settings, email, sms, topics, ids):
    settings.EMAIL_BACKEND, settings.SMS_BACKEND, settings.SNS_TOPICS = email, sms, topics

    assert [found.id for found in check_reports()] == ids


@pytest.mark.parametrize(
    ("email", "sms", "ids"),
    [
        (CONSOLE, "dispatch.messages.sms.ConsoleSms", ["qdn.W006", "qdn.W006"]),
        (SMTP, "dispatch.messages.sms.ConsoleSms", ["qdn.W006"]),
        (CONSOLE, "us.Sms", ["qdn.W006"]),
        (SMTP, "us.Sms", []),
    ],
)
def test_messages_that_are_printed_are_a_warning(settings, email, sms, ids):
    settings.EMAIL_BACKEND, settings.SMS_BACKEND = email, sms

    assert [found.id for found in check_messages_leave()] == ids


def test_they_are_part_of_check_deploy_alone(settings):
    settings.LOOPBACK, settings.SECURE, settings.REDIS_URL = False, False, ""

    def ids(**options: bool) -> set[str]:
        return {found.id for found in run_checks(**options) if found.id.startswith("qdn.") and found.id != "qdn.W003"}

    assert (ids(include_deployment_checks=True), ids()) == ({"qdn.W001", "qdn.W002", "qdn.W006"}, set())
