"""Each way a storage can fail is one line that says what is wrong and what to do, and shows no secret."""

import errno

import pytest
from botocore import exceptions as aws
from botocore.config import Config
from moto import mock_aws

from dispatch.mirror.faults import UNREACHABLE, explain
from dispatch.mirror.s3 import CompareAndSwapS3Storage
from dispatch.mirror.storages import CompareAndSwapFileSystemStorage, Conflict, Unconditional

KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys that are valid"
PERMISSION = (
    "the storage refuses access: allow s3:GetObject, s3:PutObject and s3:ListBucket on the bucket and what is in it"
)
OBJECT = "https://ana:pass@s3.example.com:9000/state/jobs/a.json?X-Amz-Signature=5e1f"


def refusal(code, status, headers=None, **details):
    """What botocore raises when S3 answers with an error."""
    error = {"Code": code, "Message": "as S3 says", **details}
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}}
    return aws.ClientError({"Error": error, "ResponseMetadata": metadata}, "PutObject")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (refusal("NoSuchBucket", 404, BucketName="state"), "there is no bucket state: create it or set STATE_BUCKET"),
        (refusal("NoSuchBucket", 404), "there is no bucket: create it or set STATE_BUCKET"),
        (refusal("InvalidAccessKeyId", 403), f"the storage does not know this access key: {KEYS}"),
        (refusal("SignatureDoesNotMatch", 403), f"the secret key does not belong to the access key: {KEYS}"),
        (refusal("ExpiredToken", 400), f"the session token has expired: {KEYS}"),
        (refusal("InvalidToken", 400), f"the session token is not valid: {KEYS}"),
        (refusal("AccessDenied", 403), PERMISSION),
        (refusal("AccessDenied", 400), PERMISSION),
        (refusal("403", 403), PERMISSION),
        (
            refusal("RequestTimeTooSkewed", 403),
            "this machine's clock differs from the storage's by minutes: set it, best by NTP",
        ),
        (
            refusal("NotImplemented", 501),
            "the server behind this bucket lacks something the mirror needs, such as conditional writes. "
            "Use another one: docs/mirror.md",
        ),
        (
            refusal("AuthorizationHeaderMalformed", 400, Region="eu-west-1"),
            "the bucket is in another region: set AWS_DEFAULT_REGION to eu-west-1",
        ),
        (
            refusal("301", 301, {"x-amz-bucket-region": "eu-west-1"}),
            "the bucket is in another region: set AWS_DEFAULT_REGION to eu-west-1",
        ),
        (
            refusal("IllegalLocationConstraintException", 400),
            "the bucket is in another region: set AWS_DEFAULT_REGION to its region",
        ),
        (
            refusal("PermanentRedirect", 301),
            "the bucket is in another region: set AWS_DEFAULT_REGION to its region",
        ),
        (refusal("SlowDown", 503), "the storage is too busy or has a fault of its own (SlowDown): try again later"),
        (
            refusal("RequestTimeout", 400),
            "the storage is too busy or has a fault of its own (RequestTimeout): try again later",
        ),
        (refusal("TooMany", 429), "the storage is too busy or has a fault of its own (TooMany): try again later"),
        (
            refusal("InternalError", 500),
            "the storage is too busy or has a fault of its own (InternalError): try again later",
        ),
        (refusal("502", 502), "the storage is too busy or has a fault of its own (502): try again later"),
        (
            refusal("InvalidRequest", 400),
            "ClientError: An error occurred (InvalidRequest) when calling the PutObject operation: as S3 says",
        ),
    ],
    ids=lambda value: value.response["Error"]["Code"] if isinstance(value, aws.ClientError) else "",
)
def test_what_s3_answers_is_explained(error, line):
    assert explain(error) == line


@pytest.mark.parametrize(
    "error",
    [
        aws.NoCredentialsError(),
        aws.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        aws.CredentialRetrievalError(provider="sso", error_msg="no session"),
        aws.ProfileNotFound(profile="work"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_keys_that_are_missing_are_asked_for(error):
    assert explain(error) == f"no usable keys for the storage: {KEYS}"


@pytest.mark.parametrize(
    "error",
    [aws.NoRegionError(), aws.InvalidRegionError(region_name="?")],
    ids=lambda error: type(error).__name__,
)
def test_a_region_that_is_missing_is_asked_for(error):
    assert explain(error) == "set AWS_DEFAULT_REGION to the region of the bucket"


@pytest.mark.parametrize(
    ("error", "server"),
    [
        (aws.EndpointConnectionError(endpoint_url=OBJECT, error="refused"), "https://s3.example.com:9000"),
        (aws.ConnectTimeoutError(endpoint_url=OBJECT, error="timeout"), "https://s3.example.com:9000"),
        (aws.ReadTimeoutError(endpoint_url=OBJECT, error="timeout"), "https://s3.example.com:9000"),
        (aws.ReadTimeoutError(endpoint_url=None, error="while reading the body"), "the storage"),
        (aws.ConnectionClosedError(endpoint_url=OBJECT, error="closed", request=None), "https://s3.example.com:9000"),
        (aws.ProxyConnectionError(proxy_url="http://ana:pass@proxy:3128", error="refused"), "http://proxy:3128"),
        (aws.HTTPClientError(error="?"), "the storage"),
        (aws.ResponseStreamingError(error="broken"), "the storage"),
        (aws.IncompleteReadError(actual_bytes=4, expected_bytes=40), "the storage"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "the storage"),
        (TimeoutError("timed out"), "the storage"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_server_that_cannot_be_reached_is_named_without_what_was_asked_of_it(error, server):
    assert explain(error) == f"cannot reach {server}: check the network and AWS_ENDPOINT_URL"


def test_a_certificate_that_nobody_trusts_is_named():
    error = aws.SSLError(endpoint_url=OBJECT, error="self-signed")

    assert explain(error) == (
        "the certificate of https://s3.example.com:9000 is not trusted: set AWS_CA_BUNDLE, or the machine's clock"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full: make room, nothing was damaged"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full: make room, nothing was damaged"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/srv/state/jobs"),
            "may not write /srv/state/jobs: give its folder to the user who runs this",
        ),
        (
            PermissionError(errno.EPERM, "Operation not permitted"),
            "may not write the folder of the mirror: give its folder to the user who runs this",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/srv/state"),
            "may not write /srv/state: give its folder to the user who runs this",
        ),
        (OSError(errno.EIO, "Input/output error", "/srv/state"), "OSError: [Errno 5] Input/output error: '/srv/state'"),
    ],
    ids=lambda value: errno.errorcode[value.errno] if isinstance(value, OSError) else "",
)
def test_what_is_wrong_with_the_disk_is_explained(error, line):
    assert explain(error) == line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            Conflict("jobs/a.json"),
            "somebody else keeps writing jobs/a.json: does another installation use the same bucket or folder?",
        ),
        (Unconditional("the server ignores conditions"), "the server ignores conditions"),
        (ValueError("jobs/a.json is not JSON\nTraceback"), "ValueError: jobs/a.json is not JSON"),
        (KeyError(), "KeyError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_anything_else_is_one_line_too(error, line):
    assert explain(error) == line


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("no user has AKIAIOSFODNN7EXAMPLE here", "RuntimeError: no user has … here"),
        ("ASIAIOSFODNN7EXAMPLE/20261124/us-east-1", "RuntimeError: …/20261124/us-east-1"),
        ("GET /a?X-Amz-Signature=5e1f&x=1", "RuntimeError: GET /a?X-Amz-Signature=…&x=1"),
        ("X-Amz-Credential=minio/2026&X-Amz-Token=abc=", "RuntimeError: X-Amz-Credential=…&X-Amz-Token=…"),
        ("AWSAccessKeyId: minio, secret_access_key = s3cr3t", "RuntimeError: AWSAccessKeyId: …, secret_access_key = …"),
        ("proxy http://ana:p@ss@proxy:3128 is down", "RuntimeError: proxy http://…@proxy:3128 is down"),
    ],
)
def test_secrets_are_not_shown(message, line):
    assert explain(RuntimeError(message)) == line


def test_s3s_own_answer_names_the_bucket():
    with mock_aws(), pytest.raises(aws.ClientError) as caught:
        CompareAndSwapS3Storage(bucket_name="nobody-made-this").write("jobs/a.json", b"{}", if_match=None)

    assert explain(caught.value) == "there is no bucket nobody-made-this: create it or set STATE_BUCKET"


def test_a_port_where_nobody_listens_is_named(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(CompareAndSwapS3Storage, "PATIENCE", Config(connect_timeout=1, retries={"total_max_attempts": 1}))

    with pytest.raises(aws.EndpointConnectionError) as caught:
        CompareAndSwapS3Storage(bucket_name="state").read("jobs/a.json")

    assert explain(caught.value) == "cannot reach http://127.0.0.1:9: check the network and AWS_ENDPOINT_URL"


def test_a_file_where_a_folder_should_be_is_explained(tmp_path):
    (tmp_path / "jobs").write_bytes(b"")

    with pytest.raises(OSError, match="jobs") as caught:
        CompareAndSwapFileSystemStorage(location=tmp_path).write("jobs/a.json", b"{}", if_match=None)

    assert explain(caught.value) == f"FileExistsError: [Errno 17] File exists: '{tmp_path}/jobs'"


@pytest.mark.parametrize(
    ("error", "blames_the_storage"),
    [
        (aws.NoCredentialsError(), True),
        (refusal("SlowDown", 503), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (Conflict("jobs/a.json"), True),
        (ValueError("this job"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_some_faults_are_the_storages_and_some_the_jobs(error, blames_the_storage):
    assert isinstance(error, UNREACHABLE) == blames_the_storage
