"""What may be in a log line."""

import logging
import re

SECRET = re.compile(r"""(/track/|/crew/sign-in/|\btoken["']?\s*[=:]\s*["']?)[A-Za-z0-9_-]{6,}""")


class MaskTokens(logging.Formatter):
    """Replaces tracking tokens and the secrets of members' links, also those in a traceback: whoever reads the log must not
    be able to open a customer's page, or to sign in."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET.sub(r"\1…", super().format(record))
