"""Hops of a trace: the job's copies in object storage."""

from django.core.files.storage import storages

from dispatch import links
from dispatch.mirror import faults
from dispatch.mirror.document import FORMAT
from dispatch.mirror.repository import Corrupt, Document, JobRepository
from dispatch.models import Job
from qdn.tracing_hops import Broken, Sought

IS_A_WORKER_RUNNING = "is a worker running? `manage.py mirror status` says what holds it up, `mirror sync` copies now"
REPAIR = "`manage.py mirror repair` writes it anew"


def mirror(job: Job) -> str:
    found = _of_now(_object(FORMAT.format(uid=job.uid)), job)
    if found.get("status") != job.status:
        raise Broken(f"the copy says {found.get('status')}, the job {job.status}", REPAIR)
    return f"the copy has change {found['seq']}"


def public(sought: Sought) -> str:
    found, job = _object(links.PUBLIC.format(token=sought.token)), sought.job
    if job is None:
        return (
            f"there is a public copy, of change {found['seq']}: {'the link is over' if found.get('gone') else 'it works'}"
        )
    _of_now(found, job)
    if bool(found.get("gone")) != sought.is_gone:
        said = "the link is over, and it is not" if found.get("gone") else "the link works, and it is over"
        raise Broken(f"the public copy says that {said}", REPAIR)
    if found.get("status") != sought.expected.get("status"):
        raise Broken(f"the public copy says {found.get('status')}, the job {job.status}", REPAIR)
    return f"the public copy has change {found['seq']}"


def _object(name: str) -> Document:
    try:
        found: Document = JobRepository(storages["state"]).read(name)  # type: ignore[arg-type]  # as the setting says
    except FileNotFoundError:
        raise Broken(f"{name} is missing", "is a worker running? `manage.py mirror repair` writes it now") from None
    except Corrupt as error:
        raise Broken(str(error), REPAIR) from None
    except faults.UNREACHABLE as error:
        remedy = "check STATE_BUCKET and the credentials: `manage.py mirror status`"
        raise Broken(faults.explain(error), remedy) from None
    return found


def _of_now(found: Document, job: Job) -> Document:
    """The copy, when it is of the job's newest change."""
    if found["seq"] < job.seq:
        raise Broken(f"the copy has change {found['seq']}, the job {job.seq}", IS_A_WORKER_RUNNING)
    if found["seq"] > job.seq:
        said = f"the copy has change {found['seq']} and the job only {job.seq}: the database was put back"
        raise Broken(said, "`manage.py mirror check` says how far; docs/mirror.md what to do")
    return found
