"""The port to CloudFront."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore import exceptions as aws
from botocore.config import Config

from .cases import Case
from .cdn import DEVELOPMENT, LIVE, CdnError, FunctionRefused, FunctionState, Progress, Trial, checked, sha256, try_all
from .faults import code_of, explain
from .waiting import Patience

REGION = "us-east-1"  # CloudFront's functions, certificates and figures live there, whatever the bucket's region
CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8})
STALE = {"PreconditionFailed", "InvalidIfMatchVersion"}


def client(service: str = "cloudfront", config: Config = CONFIG) -> Any:
    """A client of one of Amazon's services, from the standard variables of its SDK."""
    import boto3  # takes a while: not before it is needed

    return boto3.client(service, region_name=REGION, config=config)


class _Stale(Exception):
    """Somebody changed the function since its etag was read."""


@dataclass
class AwsCdn:
    """CloudFront, by a client of boto3. An invalidation takes it a minute, at times a quarter of an hour."""

    cloudfront: Any = field(default_factory=client)
    patience: Patience = field(default_factory=lambda: Patience(1200, 5))

    def function_stage(self, name: str, stage: str = LIVE) -> FunctionState | None:
        found = self._read(name, stage)
        return found and FunctionState(found[0], sha256(found[1]), stage)

    def live_code(self, name: str) -> bytes | None:
        found = self._read(name, LIVE)
        return found and found[1]

    def put_function(self, name: str, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        if code == self.live_code(name):
            return False
        for _ in range(2):  # a change by somebody else is no reason to give up, a second one is
            try:
                etag = self._stage(name, code)
                try_all(partial(self._test, name, etag), cases, progress)
                with _asking(name):
                    self.cloudfront.publish_function(Name=name, IfMatch=etag)
            except _Stale:
                continue
            return True
        raise CdnError(f"somebody else keeps changing the function {name}: run this again when they are done")

    def invalidate(self, distribution: str, paths: Iterable[str], reference: str) -> str:
        items = checked(paths)
        batch = {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": reference}
        with _asking(distribution):
            reply = self.cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        return str(reply["Invalidation"]["Id"])

    def wait(self, distribution: str, invalidation: str, progress: Progress) -> None:
        for _ in self.patience:
            with _asking(distribution):
                reply = self.cloudfront.get_invalidation(DistributionId=distribution, Id=invalidation)
            is_done = reply["Invalidation"]["Status"] == "Completed"
            progress("forgotten", int(is_done), 1)
            if is_done:
                return
        raise CdnError(
            f"invalidation {invalidation} is not done after {self.patience.most / 60:.0f} minutes. It goes on by itself;"
            " run the same command again to go on waiting"
        )

    def _read(self, name: str, stage: str) -> tuple[str, bytes] | None:
        """Etag and code."""
        with _asking(name):
            try:
                reply = self.cloudfront.get_function(Name=name, Stage=stage)
            except self.cloudfront.exceptions.NoSuchFunctionExists:
                return None
        return reply["ETag"], reply["FunctionCode"].read()

    def _stage(self, name: str, code: bytes) -> str:
        """Puts the code where it can be tried but visitors do not come; returns the etag it has there."""
        found = self._read(name, DEVELOPMENT)
        if found and found[1] != code:
            with _asking(name):
                summary = self.cloudfront.describe_function(Name=name, Stage=DEVELOPMENT)["FunctionSummary"]
                self.cloudfront.update_function(
                    Name=name, IfMatch=found[0], FunctionConfig=summary["FunctionConfig"], FunctionCode=code
                )
            found = self._read(name, DEVELOPMENT)  # the update's own answer has its etag in a header misspelt "ETtag"
        if found is None:
            raise CdnError(f"there is no function {name}: deploy the stack first")
        if found[1] != code:
            raise _Stale
        return found[0]

    def _test(self, name: str, etag: str, event: dict[str, Any]) -> Trial:
        with _asking(name):
            result = self.cloudfront.test_function(
                Name=name, IfMatch=etag, Stage=DEVELOPMENT, EventObject=json.dumps(event).encode()
            )["TestResult"]
        if error := result.get("FunctionErrorMessage"):
            return Trial({}, error=str(error))
        output = json.loads(result.get("FunctionOutput") or "{}")
        return Trial(output.get("request") or output.get("response") or {}, int(result.get("ComputeUtilization") or 0))


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turns what CloudFront refuses into one line; `what` is the function or the distribution that it was about."""
    try:
        yield
    except aws.ClientError as error:
        code = code_of(error)
        if code in STALE:
            raise _Stale from None
        if code == "TestFunctionFailed":
            reason = error.response["Error"].get("Message") or "no reason given"
            raise FunctionRefused(f"CloudFront cannot run the function {what}: {reason}") from None
        raise CdnError(explain(error, "cloudfront", what)) from None
    except aws.BotoCoreError as error:
        raise CdnError(explain(error, "cloudfront", what)) from None
