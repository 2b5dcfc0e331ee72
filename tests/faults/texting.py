"""A provider of texts for workers in processes of their own. SMS_BACKEND=tests.faults.texting.Texting hands each text to
the carrier at TEXTING_URL."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable

from dispatch.messages.sms import Transient, Unreachable

PATIENCE_SECONDS = 20


class Texting:
    def send(self, to: str, text: str, dedupe_key: str) -> str:
        request = urllib.request.Request(os.environ["TEXTING_URL"], json.dumps({"to": to, "key": dedupe_key}).encode())
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return str(json.load(answer)["id"])
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                raise Unreachable("cannot reach the carrier") from error
            raise Transient("the connection to the carrier broke off") from error

    def opted_out(self) -> Iterable[str]:
        return ()
