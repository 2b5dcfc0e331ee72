"""What may be in a log line."""

import logging
import re

TRACKING_TOKEN = re.compile(r"""(/track/|\btoken["']?\s*[=:]\s*["']?)[A-Za-z0-9_-]{6,}""")


class MaskTokens(logging.Formatter):
    """Replaces tracking tokens, also those in a traceback: whoever reads the log must not be able to open a customer's
    page."""

    def format(self, record: logging.LogRecord) -> str:
        return TRACKING_TOKEN.sub(r"\1…", super().format(record))
