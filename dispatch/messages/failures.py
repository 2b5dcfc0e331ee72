"""What a provider may answer instead of taking a message. The text of each is for staff: what to do, and never a key."""


class Failure(Exception):
    """The provider did not take the message, as far as we know."""


class Permanent(Failure):
    """It will never be taken: the address does not exist, or the provider refuses this very message."""


class OptedOutAtProvider(Permanent):
    """The owner of the address told the provider that they do not want this."""


class Transient(Failure):
    """Another try may succeed. The message may have been taken all the same, for all we know."""


class Unreachable(Transient):
    """The provider is to blame and not the message, and has surely not taken it: it is away, lets nobody in, or wants us to
    slow down."""


def one_line(error: BaseException) -> str:
    """For people, without what belongs to the next line."""
    words = " ".join(str(error).split())[:300]
    return words if isinstance(error, Failure) and words else f"{type(error).__name__}: {words}".removesuffix(": ")
