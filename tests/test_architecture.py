"""Promises about the tree as a whole: who may import whom, who writes jobs, and what pages may contain."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parents[1]
APPS = ("qdn", "tracking", "crew", "dispatch", "edge")
MAY_IMPORT = {
    "qdn": {"qdn", "tracking", "crew", "dispatch", "edge"},
    "tracking": {"tracking", "dispatch"},
    "crew": {"crew", "dispatch"},
    "dispatch": {"dispatch"},
    "edge": {"edge"},
}
MODULE_LINES = 260
WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
    "asave", "acreate", "aupdate", "adelete", "abulk_create", "abulk_update", "aget_or_create", "aupdate_or_create",
}  # fmt: skip

MODULES = sorted(
    path.relative_to(ROOT) for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
)
TREES = {path: ast.parse((ROOT / path).read_text()) for path in MODULES}
PAGES = sorted(
    [*(ROOT / "templates").rglob("*.*"), *(page for app in APPS for page in (ROOT / app).glob("templates/**/*.*"))]
)
ASSETS = sorted(
    path
    for app in APPS
    for path in [*(ROOT / app).glob("static/**/*.*"), *(ROOT / app).glob("functions/*.js")]
    if path.suffix in {".js", ".css", ".svg", ".html", ".json", ".webmanifest"}
)


def imported(path: Path, node: ast.AST) -> list[str]:
    """Our apps that an import statement names; a relative import stays inside its app."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [path.parts[0]] if node.level else [node.module or ""]
    else:
        return []
    return [app for app in (name.partition(".")[0] for name in names) if app in APPS]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_follow_the_arrows(path):
    apps = {app for node in ast.walk(TREES[path]) for app in imported(path, node)}

    assert apps - MAY_IMPORT[path.parts[0]] == set()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_relative_import_leaves_its_app(path):
    up = max((node.level for node in ast.walk(TREES[path]) if isinstance(node, ast.ImportFrom)), default=0)

    assert up < len(path.parts)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_import_of_ours_hides_in_a_function(path):
    functions = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = {one.name for one in functions for node in ast.walk(one) if imported(path, node)}

    assert hidden - ({"ready"} if path.name == "apps.py" else set()) == set()


def test_only_the_flow_writes_jobs_and_history():
    found = []
    for path, tree in TREES.items():
        if path in {Path("dispatch/mirror/ledger.py"), Path("dispatch/messages/ledger.py")}:
            continue  # they know other tables only: they import neither Job nor StatusChange
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                on_what = ast.unparse(node.func.value)
                if re.search(r"\b(Job|StatusChange|jobs?|history|self\.filter)\b", on_what, re.I):
                    found.append(f"{path}: {on_what}.{node.func.attr}")

    assert [write for write in found if not write.startswith("dispatch/flow.py: ")] == [
        "dispatch/models.py: self.filter(pk=pk, mirrored_seq__lt=seq, seq__gte=seq).update",  # JobQuerySet.mark_mirrored
        "dispatch/models.py: self.filter(pk=board.pk, epoch=board.epoch).update",  # BoardQuerySet.note_epochs
    ]
    assert "dispatch/flow.py: job.save" in found


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_lock_that_one_of_the_databases_ignores(path):
    assert "select_for_update" not in [node.attr for node in ast.walk(TREES[path]) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_read_in_one_sitting(path):
    if path == Path("qdn/settings.py"):
        return  # a list of knobs, all in one place
    assert len((ROOT / path).read_text().splitlines()) <= MODULE_LINES


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_policy_allows_nothing_unsafe(settings):
    sources = [source for sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].values() for source in sources]

    assert [
        source for source in sources if "unsafe" in source or "*" in source or source.startswith(("http:", "https:"))
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_nothing_that_the_policy_forbids(page):
    if page.parts[-2] == "mail":  # a mail has no policy, and its readers know no style sheets
        return
    text = page.read_text()

    assert re.findall(r"<script(?![^>]*(?:\bsrc=|type=\"application/(?:ld\+)?json\"))[^>]*>", text) == []
    assert re.findall(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", text) == []


@pytest.mark.parametrize("path", [*PAGES, *ASSETS], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_fetched_from_elsewhere(path):
    """Names of XML vocabularies look like addresses, and nobody fetches them."""
    text = re.sub(r"http://www\.w3\.org/[\w/#.-]+", "", path.read_text())
    if path.suffix in {".js", ".css"}:
        text = re.sub(r"/\*.*?\*/|^\s*//.*$", "", text, flags=re.DOTALL | re.MULTILINE)

    assert re.findall(r"""(?:\b(?:https?|wss?):|[="'(]\s*)//[\w.-]+""", text) == []
