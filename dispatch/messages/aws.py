"""What our senders at AWS share: one client for each service and process, and what its errors mean for a message."""

import threading
from typing import Any

from botocore import exceptions as aws

from .failures import Failure, Permanent, Transient, Unreachable

PATIENCE = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 1},
    "max_pool_connections": 32,
}
"""No tries of its own: an attempt that we do not know of could send a message twice."""

BUSY = {
    "LimitExceededException", "RequestLimitExceeded", "ServiceQuotaExceededException", "SlowDown", "Throttled",
    "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
}  # fmt: skip
OF_THE_MESSAGE = {
    "BadRequestException", "InvalidParameter", "InvalidParameterValue", "MessageRejected", "ParameterValueInvalid",
    "ValidationException", "ConflictException",
}  # fmt: skip
NOT_CONNECTED = (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError, aws.SSLError)
NO_KEYS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.ProfileNotFound)

_clients: dict[str, Any] = {}
_making = threading.Lock()


def client(service: str) -> Any:
    """Made when it is first needed, and shared: clients are safe to share between threads, making them is not."""
    with _making:
        if service not in _clients:
            import boto3  # takes a while: not before it is needed
            from botocore.config import Config

            _clients[service] = boto3.client(service, config=Config(**PATIENCE))
        return _clients[service]


def failure(service: str, error: Exception) -> Failure:
    """What an exception of botocore's means for the message that was to be sent."""
    if isinstance(error, aws.ClientError):
        return _refused(service, error)
    if isinstance(error, NO_KEYS):
        return Unreachable(f"no usable keys for {service}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    if isinstance(error, aws.NoRegionError):
        return Unreachable(f"set AWS_DEFAULT_REGION to the region of {service}")
    if isinstance(error, aws.ParamValidationError):
        return Permanent(f"{service} cannot take this message: {' '.join(str(error).split())[:200]}")
    if isinstance(error, NOT_CONNECTED):
        return Unreachable(f"cannot reach {service}: check the network, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL")
    return Transient(f"the connection to {service} broke off ({type(error).__name__})")


def code(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def says(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _refused(service: str, error: aws.ClientError) -> Failure:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code(error) in BUSY or status in {429, 503}:
        return Unreachable(
            f"{service} wants us to slow down, or a quota of the account is used up ({code(error) or status})"
        )
    if code(error) in OF_THE_MESSAGE:
        return Permanent(f"{service} refuses this message: {says(error) or code(error)}")
    if status >= 500:
        return Transient(f"{service} has a fault of its own ({code(error) or status})")
    return Unreachable(f"{service} refuses us ({code(error) or status}): check the keys, what they allow and the account")
