"""What is wrong with the storage, in one line for the person who has to put it right. It never shows a key or a signature,
nor an address with a password in it."""

import errno
import re
from urllib.parse import urlsplit

from botocore import exceptions as aws

from .storages import Conflict, MirrorError

UNREACHABLE = (aws.BotoCoreError, aws.ClientError, OSError, Conflict)
"""What blames the storage rather than the job that was to be copied."""

CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys that are valid"
RIGHTS = {
    "STATE_BUCKET": "s3:GetObject, s3:PutObject and s3:ListBucket on the bucket and what is in it",
    "SITE_BUCKET": "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on SITE_BUCKET and what is in it",
}
CODES = {
    "InvalidAccessKeyId": f"the storage does not know this access key: {CREDENTIALS}",
    "SignatureDoesNotMatch": f"the secret key does not belong to the access key: {CREDENTIALS}",
    "ExpiredToken": f"the session token has expired: {CREDENTIALS}",
    "InvalidToken": f"the session token is not valid: {CREDENTIALS}",
    "RequestTimeTooSkewed": "this machine's clock differs from the storage's by minutes: set it, best by NTP",
    "NotImplemented": "the server behind this bucket lacks something the mirror needs, such as conditional writes. "
    "Use another one: docs/mirror.md",
}
NO_KEYS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.ProfileNotFound)
WRONG_REGION = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
BROKEN_OFF = (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError, ConnectionError, TimeoutError)
SECRETS = [
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), "…"),
    (re.compile(r"((?:signature|credential|token|secret|password|accesskeyid)[\w-]*\s*[=:]\s*)[^\s&,;]+", re.I), r"\1…"),
    (re.compile(r"://[^/\s]+@"), "://…@"),
]


def explain(error: Exception, bucket: str = "STATE_BUCKET") -> str:
    """`bucket` is the setting that names the bucket which was asked, one of RIGHTS."""
    match error:
        case Conflict():
            return f"somebody else keeps writing {error}: does another installation use the same bucket or folder?"
        case MirrorError():
            return str(error)
        case aws.ClientError():
            return _refused(error, bucket)
        case aws.NoRegionError() | aws.InvalidRegionError():
            return "set AWS_DEFAULT_REGION to the region of the bucket"
        case aws.SSLError():
            return f"the certificate of {_server(error)} is not trusted: set AWS_CA_BUNDLE, or the machine's clock"
    if isinstance(error, NO_KEYS):
        return f"no usable keys for the storage: {CREDENTIALS}"
    if isinstance(error, BROKEN_OFF):
        return f"cannot reach {_server(error)}: check the network and AWS_ENDPOINT_URL"
    if isinstance(error, OSError) and (reason := _disk(error)):
        return reason
    return _anything_else(error)


def _refused(error: aws.ClientError, setting: str) -> str:
    """S3 answered, with an error. A HEAD has no body, so its code is the status."""
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        bucket = " ".join(["bucket", *filter(None, [details.get("BucketName")])])
        return f"there is no {bucket}: create it or set {setting}"
    if code in CODES:
        return CODES[code]
    if code in WRONG_REGION or status == 301:
        region = details.get("Region") or error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(
            "x-amz-bucket-region"
        )
        return f"the bucket is in another region: set AWS_DEFAULT_REGION to {region or 'its region'}"
    if status == 403 or code == "AccessDenied":
        return f"the storage refuses access: allow {RIGHTS[setting]}"
    if code == "RequestTimeout" or status == 429 or status >= 500:
        return f"the storage is too busy or has a fault of its own ({code or status}): try again later"
    return _anything_else(error)


def _server(error: Exception) -> str:
    """Scheme, host and port: an object's address may be signed, and a proxy's may hold a password."""
    facts = getattr(error, "kwargs", {})
    url = urlsplit(str(facts.get("endpoint_url") or facts.get("proxy_url") or ""))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.netloc else "the storage"


def _disk(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full: make room, nothing was damaged"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"may not write{where or ' the folder of the mirror'}: give its folder to the user who runs this"
    return ""


def _anything_else(error: Exception) -> str:
    message = next(iter(str(error).splitlines()), "")
    for secret, hidden in SECRETS:
        message = secret.sub(hidden, message)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
