from datetime import UTC, datetime, timedelta

import pytest

from dispatch import sns
from tests.dispatch.signing import SUBSCRIBE, TOPIC, URL, Signer

NOT_AMAZON = [
    URL.replace("https", "http"),
    URL.replace("sns.us-east-1.amazonaws.com", "example.com"),
    URL.replace("amazonaws.com", "amazonaws.com.example.com"),
    URL.replace("https://", "https://user@"),
    URL.replace(".com/", ".com:444/"),
    URL.replace("https://sns", "https://evil.com/https://sns"),
    URL.replace("us-east-1", "us-east-1.evil"),
    URL.replace("sns.us-east-1", "s3.us-east-1"),
    URL.replace("SimpleNotificationService", "other/SimpleNotificationService"),
    URL.replace(".pem", ".pem?x=.pem"),
    URL.replace(".pem", ".pem#"),
    URL + "\n",
    URL.replace("us-east-1", "eu-west-1"),
    URL.replace("us-east-1", "ＵＳ-east-1"),
    "",
]


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(autouse=True)
def amazon(monkeypatch, settings, signer):
    """What is at which address, instead of the network; `asked` are the addresses that were asked for."""
    settings.SNS_TOPICS = [TOPIC]
    monkeypatch.setattr(sns, "_certificates", {})
    asked = []
    pages = {URL: signer.certificate, SUBSCRIBE: b"<ConfirmSubscriptionResponse/>"}

    def fetch(url):
        asked.append(url)
        return pages[url]

    monkeypatch.setattr(sns, "fetch", fetch)
    fetch.asked, fetch.pages = asked, pages
    return fetch


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon SES Email Event Notification", "Grüße\nund\nmehr"])
def test_what_sns_signed_is_believed(signer, amazon, version, subject):
    sns.verify(signer.notification("hello\nworld ✓", version, Subject=subject))
    sns.verify(signer.confirmation(version))

    assert amazon.asked == [URL]  # and kept


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Subject", "TopicArn"])
def test_nothing_that_is_signed_can_be_changed(signer, settings, name):
    envelope = signer.notification("hello", Subject="Event")
    other = {"Timestamp": datetime.now(UTC).isoformat(), "TopicArn": TOPIC + "2"}.get(name, "other")
    settings.SNS_TOPICS = [TOPIC, TOPIC + "2"]

    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(envelope | {name: other})


@pytest.mark.parametrize("name", ["Token", "SubscribeURL"])
def test_nor_in_a_confirmation(signer, name):
    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(signer.confirmation() | {name: "other"})


def test_a_field_that_was_added_is_not_believed(signer):
    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(signer.notification("hello") | {"Subject": "mine"})


def test_the_signature_of_somebody_else_is_worth_nothing(signer):
    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(Signer().notification("hello"))


@pytest.mark.parametrize("signature", [None, "", "?", "aGVsbG8=", "é", 7])
def test_no_signature_is_none(signer, signature):
    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(signer.notification("hello") | {"Signature": signature})


def test_a_signature_of_version_1_does_not_pass_for_version_2(signer):
    with pytest.raises(sns.NotVerified, match="signature is wrong"):
        sns.verify(signer.notification("hello", "1") | {"SignatureVersion": "2"})


@pytest.mark.parametrize("version", ["0", "3", "", None, 2.0])
def test_an_unknown_version(signer, amazon, version):
    with pytest.raises(sns.NotVerified, match="unknown version"):
        sns.verify(signer.notification("hello") | {"SignatureVersion": version})
    assert amazon.asked == []


@pytest.mark.parametrize("url", NOT_AMAZON)
def test_a_certificate_from_elsewhere_is_not_even_fetched(signer, amazon, url):
    with pytest.raises(sns.NotVerified, match="certificate is not at Amazon SNS"):
        sns.verify(signer.notification("hello", SigningCertURL=url))
    assert amazon.asked == []


def test_china_has_a_domain_of_its_own(signer, amazon, settings):
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:mail"
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0123456789abcdef.pem"
    settings.SNS_TOPICS = [topic]
    amazon.pages[url] = signer.certificate

    sns.verify(signer.notification("hello", TopicArn=topic, SigningCertURL=url))


@pytest.mark.parametrize("topic", [TOPIC + "2", "", None, 7])
def test_another_topic_is_not_ours_however_well_it_is_signed(signer, amazon, topic):
    with pytest.raises(sns.NotVerified, match=r"not among SNS_TOPICS|no message of SNS"):
        sns.verify(signer.notification("hello", TopicArn=topic))
    assert amazon.asked == []


@pytest.mark.parametrize(
    ("age", "passes"),
    [(timedelta(minutes=59), True), (timedelta(minutes=61), False), (-timedelta(minutes=4), True),
     (-timedelta(minutes=6), False)],
)  # fmt: skip
def test_what_is_old_may_be_a_replay(signer, age, passes):
    envelope = signer.notification("hello", Timestamp=(datetime.now(UTC) - age).isoformat())

    if passes:
        sns.verify(envelope)
    else:
        with pytest.raises(sns.NotVerified, match="it is old, or of the future"):
            sns.verify(envelope)


@pytest.mark.parametrize("told", [None, "", "yesterday", "2026-11-24T12:00:00", 0])
def test_a_time_that_says_nothing(signer, told):
    with pytest.raises(sns.NotVerified):
        sns.verify(signer.notification("hello") | {"Timestamp": told})


@pytest.mark.parametrize("begins_ends", [(-60, -30), (1, 30)])
def test_a_certificate_has_its_time(amazon, begins_ends):
    begins, ends = (timedelta(days=days) for days in begins_ends)
    signer = Signer(begins, ends)
    amazon.pages[URL] = signer.certificate

    with pytest.raises(sns.NotVerified, match="not valid today"):
        sns.verify(signer.notification("hello"))


def test_a_page_that_is_no_certificate(signer, amazon):
    amazon.pages[URL] = b"<html>"

    with pytest.raises(sns.NotVerified, match="certificate is none"):
        sns.verify(signer.notification("hello"))


@pytest.mark.parametrize("kind", ["Other", "", None, 7, []])
def test_a_type_that_sns_does_not_have(signer, kind):
    with pytest.raises(sns.NotVerified, match="no message of SNS"):
        sns.verify(signer.notification("hello") | {"Type": kind})


@pytest.mark.parametrize("message", [7, None, ["hello"], {"a": 1}])
def test_what_should_be_text_is_text(signer, message):
    with pytest.raises(sns.NotVerified, match="no message of SNS"):
        sns.verify(signer.notification("hello") | {"Message": message})


class TestConfirm:
    def test_it_asks_the_address_of_amazon(self, signer, amazon):
        sns.confirm(signer.confirmation())

        assert amazon.asked == [SUBSCRIBE]

    @pytest.mark.parametrize(
        "url",
        [
            SUBSCRIBE.replace("https", "http"),
            SUBSCRIBE.replace("amazonaws.com", "amazonaws.com.evil.com"),
            SUBSCRIBE.replace("https://", "https://x@"),
            SUBSCRIBE.replace("sns.us-east-1.amazonaws.com", "169.254.169.254"),
            SUBSCRIBE.replace("us-east-1.amazonaws.com/", "eu-west-1.amazonaws.com/"),
            SUBSCRIBE.replace("/?", "/latest/?"),
            "",
        ],
    )
    def test_and_no_other_even_if_it_is_signed(self, signer, amazon, url):
        with pytest.raises(sns.NotVerified, match="another address"):
            sns.confirm(signer.confirmation(SubscribeURL=url))
        assert amazon.asked == []


def test_the_cache_of_certificates_is_bounded(signer, amazon):
    for number in range(40):
        url = URL.replace("0123456789abcdef", f"{number:016x}")
        amazon.pages[url] = signer.certificate
        sns.verify(signer.notification("hello", SigningCertURL=url))

    assert len(sns._certificates) <= sns.KEPT
