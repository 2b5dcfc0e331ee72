import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from dispatch.messages import aws
from dispatch.messages.failures import OptedOutAtProvider, Permanent, Transient, Unreachable
from dispatch.messages.sms_aws import EndUserMessagingSms, SnsSms

PHONE, TEXT, KEY = "+13035550123", "We are on our way.", "01M86N75:3:on_the_way:sms"
VOICE = "pinpoint-sms-voice-v2"


@pytest.fixture
def sns(clients):
    with Stubber(aws.client("sns")) as stubber:
        yield stubber


@pytest.fixture
def voice(clients):
    with Stubber(aws.client(VOICE)) as stubber:
        yield stubber


class TestSns:
    @pytest.mark.parametrize(
        ("sender", "attribute"),
        [
            ("", {}),
            ("QuickDump", {"AWS.SNS.SMS.SenderID": "QuickDump"}),
            ("+13035550100", {"AWS.MM.SMS.OriginationNumber": "+13035550100"}),
            ("QuickDumpNow Denver", {}),
            ("12345", {}),
        ],
    )
    def test_the_shape_of_a_request(self, sns, settings, sender, attribute):
        settings.SMS_SENDER = sender
        values = {"AWS.SNS.SMS.SMSType": "Transactional"} | attribute
        expected = {
            "PhoneNumber": PHONE, "Message": TEXT,
            "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in values.items()},
        }  # fmt: skip
        sns.add_response("publish", {"MessageId": "abc"}, expected)

        assert SnsSms().send(PHONE, TEXT, KEY) == "abc"

    def test_a_server_of_sns_takes_it(self, clients):
        with mock_aws():
            name = SnsSms().send(PHONE, TEXT, KEY)

            assert sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sms_messages == {name: (PHONE, TEXT)}

    def test_the_opt_outs_of_all_pages(self, sns):
        sns.add_response("list_phone_numbers_opted_out", {"phoneNumbers": [PHONE], "nextToken": "more"}, {})
        sns.add_response("list_phone_numbers_opted_out", {"phoneNumbers": ["+13035550124"]}, {"nextToken": "more"})

        assert list(SnsSms().opted_out()) == [PHONE, "+13035550124"]

    def test_a_server_of_sns_tells_who_opted_out(self, clients):
        with mock_aws():
            boto3.client("sns").get_sms_attributes()

            assert list(SnsSms().opted_out())  # moto has a list of its own

    def test_who_may_not_ask_for_opt_outs_is_told(self, sns):
        sns.add_client_error("list_phone_numbers_opted_out", "AuthorizationError", http_status_code=403)

        with pytest.raises(Unreachable, match=r"SNS refuses us \(AuthorizationError\)"):
            list(SnsSms().opted_out())

    @pytest.mark.parametrize(
        ("code", "status", "says", "failure"),
        [
            ("InvalidParameter", 400, "Invalid parameter: PhoneNumber", Permanent),
            ("ParameterValueInvalid", 400, "", Permanent),
            ("OptedOut", 400, "The phone number is opted out", OptedOutAtProvider),
            ("InvalidParameter", 400, "Phone number is opted out", OptedOutAtProvider),
            ("Throttled", 429, "", Unreachable),
            ("Throttling", 400, "Rate exceeded", Unreachable),
            ("AuthorizationError", 403, "", Unreachable),
            ("InvalidClientTokenId", 403, "", Unreachable),
            ("InternalError", 500, "", Transient),
        ],
    )
    def test_what_an_answer_means(self, sns, code, status, says, failure):
        sns.add_client_error("publish", code, says, status)

        with pytest.raises(failure) as raised:
            SnsSms().send(PHONE, TEXT, KEY)
        assert type(raised.value) is failure

    @pytest.mark.parametrize(("error", "failure"), [(ConnectTimeoutError, Unreachable), (ReadTimeoutError, Transient)])
    def test_a_network_that_fails(self, clients, error, failure):
        def fail(**_):
            raise error(endpoint_url="https://sns.us-east-1.amazonaws.com")

        aws.client("sns").meta.events.register("before-send.sns.Publish", fail)

        with pytest.raises(failure) as raised:
            SnsSms().send(PHONE, TEXT, KEY)
        assert type(raised.value) is failure


class TestEndUserMessaging:
    @pytest.mark.parametrize(("sender", "identity"), [("", {}), ("+13035550100", {"OriginationIdentity": "+13035550100"})])
    def test_the_shape_of_a_request(self, voice, settings, sender, identity):
        settings.SMS_SENDER = sender
        expected = {
            "DestinationPhoneNumber": PHONE, "MessageBody": TEXT, "MessageType": "TRANSACTIONAL",
            "Context": {"dedupeKey": KEY},
        } | identity  # fmt: skip
        voice.add_response("send_text_message", {"MessageId": "abc"}, expected)

        assert EndUserMessagingSms().send(PHONE, TEXT, KEY) == "abc"

    def test_the_opt_outs_of_all_pages(self, voice):
        def page(number, **more):
            entry = {"OptedOutNumber": number, "OptedOutTimestamp": 1, "EndUserOptedOut": True}
            return {"OptOutListName": "Default", "OptedOutNumbers": [entry]} | more

        voice.add_response("describe_opted_out_numbers", page(PHONE, NextToken="x"), {"OptOutListName": "Default"})
        expected = {"OptOutListName": "Default", "NextToken": "x"}
        voice.add_response("describe_opted_out_numbers", page("+13035550124"), expected)

        assert list(EndUserMessagingSms().opted_out()) == [PHONE, "+13035550124"]

    @pytest.mark.parametrize(
        ("code", "reason", "status", "failure"),
        [
            ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", 400, OptedOutAtProvider),
            ("ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", 400, Permanent),
            ("ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND", 400, Unreachable),
            ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", 400, Permanent),
            ("ValidationException", "SENDER_ID_NOT_REGISTERED", 400, Unreachable),
            ("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", 400, Unreachable),
            ("ThrottlingException", "", 400, Unreachable),
            ("AccessDeniedException", "ACCOUNT_DISABLED", 400, Unreachable),
            ("ResourceNotFoundException", "", 400, Unreachable),
            ("InternalServerException", "", 500, Transient),
        ],
    )
    def test_what_an_answer_means(self, voice, code, reason, status, failure):
        more = {"Reason": reason} if reason else {}
        voice.add_client_error("send_text_message", code, "", status, modeled_fields=more)

        with pytest.raises(failure) as raised:
            EndUserMessagingSms().send(PHONE, TEXT, KEY)
        assert type(raised.value) is failure
