"""What Amazon refused, or why it was not reached, in one line for the person who has to put it right. Never a key or a
signature: those of botocore's messages that may hold one are not repeated.
"""

from botocore import exceptions as aws

CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys that are valid"
NO_KEYS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.ProfileNotFound)
CODES = {
    "InvalidClientTokenId": f"Amazon does not know this access key: {CREDENTIALS}",
    "UnrecognizedClientException": f"Amazon does not know this access key: {CREDENTIALS}",
    "SignatureDoesNotMatch": f"the secret key does not belong to the access key: {CREDENTIALS}",
    "ExpiredToken": f"the session token has expired: {CREDENTIALS}",
    "ExpiredTokenException": f"the session token has expired: {CREDENTIALS}",
    "TooManyInvalidationsInProgress": "CloudFront is still busy with earlier invalidations, and takes 3,000 addresses or 15"
    " wildcards at a time: run this again in a few minutes",
    "BatchTooLarge": "CloudFront takes 3,000 addresses in one invalidation: invalidate /* instead",
    "NoSuchInvalidation": "CloudFront does not know this invalidation: was the distribution made anew?",
    "TooManyFunctions": "the account has as many functions as Amazon allows: delete one, or ask for more",
    "FunctionSizeLimitExceeded": "the function is larger than the 10 KB that CloudFront takes",
    "Throttling": "Amazon asks to be asked less often: run this again in a minute",
    "ThrottlingException": "Amazon asks to be asked less often: run this again in a minute",
    "ServiceUnavailable": "Amazon has a fault of its own: run this again in a few minutes",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
LONGEST = 300


def explain(error: aws.ClientError | aws.BotoCoreError, service: str, what: str = "") -> str:
    """`service` is the prefix of its permissions, such as `cloudfront`; `what` is the thing that was asked about."""
    if isinstance(error, aws.ClientError):
        return _refused(error, service, what)
    if isinstance(error, NO_KEYS):
        return f"no usable keys for Amazon: {CREDENTIALS}"
    if isinstance(error, aws.ConnectionError | aws.HTTPClientError):
        return "cannot reach Amazon: check the network and AWS_ENDPOINT_URL"
    return f"{service}: {type(error).__name__}"


def code_of(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: aws.ClientError, service: str, what: str) -> str:
    code = code_of(error)
    if code in CODES:
        return CODES[code]
    if code in DENIED:
        return f"these keys may not do it: allow {service}:{error.operation_name} on {what or '*'} (docs/edge-stack.md)"
    if code == "NoSuchDistribution":
        return f"there is no distribution {what}: its id is among the outputs of the stack"
    if code == "NoSuchFunctionExists":
        return f"there is no function {what}: deploy the stack first"
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    return f"{service}:{error.operation_name} was refused ({code or 'no code'}): {message[:LONGEST] or 'no reason given'}"
