"""Boards as the bucket remembers them, for a restore: their facts, the numbers their changes had, and their epochs."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from dispatch.models import Board

from .boards import FACTS, FORMAT
from .reading import Copy
from .repository import Corrupt, Document, JobRepository
from .values import SLUG, BadDocument, change_number, storable, take


@dataclass
class FormerBoard:
    facts: dict[str, Any] = field(default_factory=dict)
    jobs: int = 0
    seq: int = 0
    """The highest number of its changes that is known."""
    epochs: dict[str, None] = field(default_factory=dict)
    """All that were seen, in order."""
    numbers: set[int] = field(default_factory=set)
    """Of its jobs."""
    again: set[str] = field(default_factory=set)
    """The uids of jobs whose number was another job's."""

    def note(self, copy: Copy) -> None:
        if copy.job.seq in self.numbers:
            self.again.add(copy.job.uid)
        self.jobs += 1
        self.numbers.add(copy.job.seq)
        self.seq = max(self.seq, copy.job.seq)
        self.epochs[copy.epoch] = None

    def new_number(self) -> int:
        self.seq += 1
        return self.seq


def read(repository: JobRepository, problems: list[str], notes: list[str]) -> dict[str, FormerBoard]:
    """By slug. Adds to `problems` what is no board, and to `notes` the facts that are not good any more."""
    boards = {}
    for name in repository.names("boards/"):
        slug = name.removeprefix("boards/").removesuffix(".json")
        try:
            if not SLUG.fullmatch(slug) or name != FORMAT.format(slug=slug):
                raise BadDocument("is not the name of a board's copy")
            document = storable(repository.read(name))
            seq = take(document, "seq", change_number)
            boards[slug] = FormerBoard(_facts(slug, document, notes), seq=seq, epochs=_epochs(document))
        except FileNotFoundError:
            problems.append(f"{name}: was gone when its turn came")
        except (Corrupt, BadDocument) as error:
            problems.append(f"{name}: {str(error).removeprefix(f'{name} ')}")
    return boards


def write(slug: str, former: FormerBoard) -> Board:
    """The board's row, locked until the end of the transaction."""
    board, _ = Board.objects.get_or_create(slug=slug, defaults={"name": slug} | former.facts)
    epochs = list(dict.fromkeys([*board.epochs, *former.epochs]))
    Board.objects.filter(pk=board.pk).update(**former.facts, epochs=epochs)
    return board


def _facts(slug: str, document: Document, notes: list[str]) -> dict[str, Any]:
    """What can no longer be so, such as a time zone that was given up, is left to the default."""
    facts = {}
    for fact in (fact for fact in FACTS if fact != "slug"):
        column: Any = Board._meta.get_field(fact)
        try:
            facts[fact] = column.clean(document.get(fact), None)
        except ValidationError as error:
            facts[fact] = column.get_default() or (slug if fact == "name" else "")
            name = FORMAT.format(slug=slug)
            notes.append(f"{name}: {fact}: {' '.join(error.messages)} It is “{facts[fact]}” now.")
    return facts


def _epochs(document: Document) -> dict[str, None]:
    epochs = document.get("epochs")
    seen = [*(epochs if isinstance(epochs, list) else []), document.get("epoch")]
    return dict.fromkeys(epoch for epoch in seen if isinstance(epoch, str))
