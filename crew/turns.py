"""How often something may be done in an hour or a day, by whom or for whom: counted in the database, so that it is the same
count whichever process is asked.

A turn is a row among the answers that are kept for two days (`dispatch/answers.py`): they are forgotten with those. Its key
is the hour or the day, and a place in it. Of two that want the last place the unique key lets one have it.
"""

from time import time

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from dispatch.answers import Answer

HOUR, DAY = 3600, 86400


def take(what: str, who: str, most: int, *, every: int = HOUR) -> bool:
    """Takes one of the `most` turns that `who` has in this hour (or, with `every` DAY, on this day) to do `what`, a word.
    False when none is left. Of `who` only a keyed hash is kept. A word is for hours or for days, never for both."""
    scope = f"{what} {salted_hmac('crew.turns', who, algorithm='sha256').hexdigest()[:24]}"
    period = f"{int(time()) // every}:"
    for place in range(Answer.objects.filter(scope=scope, key__startswith=period).count(), most):
        try:
            with transaction.atomic():
                Answer.objects.create(scope=scope, key=f"{period}{place}")
        except IntegrityError:
            continue  # somebody was faster
        return True
    return False


def seconds_left(every: int = HOUR) -> int:
    """Until the next hour or day (UTC), when there are turns again."""
    return every - int(time()) % every
