"""What may be in a log line."""

import logging
import re

TRACKING_TOKEN = re.compile(r"(/track/|token=)[A-Za-z0-9_-]{6,}")


class MaskTokens(logging.Filter):
    """Replaces tracking tokens: whoever reads the log must not be able to open a customer's page."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if TRACKING_TOKEN.search(message):
            record.msg, record.args = TRACKING_TOKEN.sub(r"\1…", message), None
        return True
