"""deploy/ and docs/operations.md agree with the code: paths, commands and variables that they name exist."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from core import supervise

BASE_DIR = Path(__file__).parents[2]
DEPLOY = BASE_DIR / "deploy"
READERS = ["crm/settings.py", "gunicorn.conf.py", *(str(p.relative_to(BASE_DIR)) for p in BASE_DIR.glob("core/*.py"))]
READERS += ["crm/celery.py", "crm/management/commands/up.py"]
# Read or set for other programs' sake, and not for people to choose.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "OPENBLAS_NUM_THREADS", "PATH"}
ENV_READERS = {"str", "bool", "int", "list", "float", "email_url", "db_url", "get", "setdefault"}


def variables_of_code():
    """The names given to env.str(…), os.environ.get(…) and their like, and ${NAME…} in the Procfile."""
    found = set(re.findall(r"\$\{([A-Z_]+)", (BASE_DIR / "Procfile").read_text()))
    for path in READERS:
        for node in ast.walk(ast.parse((BASE_DIR / path).read_text())):
            found |= set(names_in(node))
    return found - NOT_OURS


def names_in(node):
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
        yield ast.literal_eval(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        reads = ast.unparse(node.func.value) in ("env", "os.environ") and node.func.attr in ENV_READERS
        if reads and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def variables_of_docs():
    table = (BASE_DIR / "docs/operations.md").read_text().partition("## Variables")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`([A-Z_]+)`", " ".join(first_cells)))


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def words_of(service):
    command = service.get("command", [])
    return command if isinstance(command, str) else " ".join(command)


# --- documents


def test_every_variable_of_the_code_is_in_the_table_and_no_other():
    assert variables_of_docs() == variables_of_code()


def test_commands_that_documents_name_exist():
    text = "".join(path.read_text() for path in [BASE_DIR / "docs/operations.md", *DEPLOY.rglob("*")] if path.is_file())
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert {"backup", "restore", "create_admin", "migrate", "check"} <= named
    assert named <= set(get_commands())


def test_paths_that_operations_names_exist():
    text = (BASE_DIR / "docs/operations.md").read_text()
    for path in set(re.findall(r"\bdeploy/[A-Za-z./@-]*[A-Za-z]", text)) | {"benchmarks/results.md", "CHANGELOG.md"}:
        assert (BASE_DIR / path).exists(), path


def test_the_version_is_the_same_everywhere(settings):
    assert f'\nversion = "{settings.VERSION}"\n' in (BASE_DIR / "pyproject.toml").read_text()


# --- the image


def test_the_image_copies_what_exists():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert copied
    for path in [path for paths in copied for path in paths]:
        assert (BASE_DIR / path).exists(), path


def test_the_image_leaves_out_nothing_that_runs():
    """What .dockerignore names at the root must not be an app, and development's folders must be named."""
    ignored = {line.strip("/") for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split()}
    assert {".git", ".venv", "node_modules", "var", "tests", "deploy/.env", "deploy/backups"} <= ignored
    needed = {
        "core",
        "crm",
        "customers",
        "loyalty",
        "analytics",
        "templates",
        "static",
        "locale",
        "deploy",
        "manage.py",
        "Procfile",
    }
    assert not ignored & needed


def test_the_image_keeps_the_icons_that_are_read_at_run_time(settings):
    text = (DEPLOY / "Dockerfile").read_text()
    assert "mv node_modules/@tabler/icons/icons kept/@tabler/icons/icons" in text
    assert (Path(settings.NODE_MODULES) / "@tabler/icons/icons/outline").is_dir()


def test_the_image_has_no_compilers_servers_or_root():
    text = (DEPLOY / "Dockerfile").read_text()
    assert "uv sync --frozen --no-dev\n" in text
    assert "--extra" not in text
    assert "build-essential" not in text
    assert re.search(r"^USER perennial$", text.rpartition("\nFROM ")[2], re.MULTILINE)
    assert "/readyz" in text


# --- compose


def test_compose_has_every_process_of_the_procfile(compose):
    for name in supervise.read_procfile(BASE_DIR / "Procfile"):
        assert words_of(compose["services"][name]) == f"deploy/start {name}"
    assert set(compose["services"]) == {"migrate", "web", "worker", "beat", "postgres", "redis", "caddy"}


def test_compose_gives_variables_that_the_code_reads(compose):
    for name in ("migrate", "web", "worker", "beat"):
        assert set(compose["services"][name]["environment"]) <= variables_of_code()
    assert {
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "REDIS_URL",
        "HTTPS",
        "TRUSTED_PROXIES",
        "PUBLIC_URL",
    } <= set(compose["services"]["web"]["environment"])


def test_every_variable_that_compose_takes_is_in_the_example():
    example = (DEPLOY / ".env.example").read_text()
    taken = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text())) - {"PERENNIAL_VERSION"}
    assert taken
    for name in taken:
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name


def test_the_example_names_variables_that_are_read():
    names = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    of_compose = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert names <= variables_of_code() | of_compose


def test_compose_waits_and_keeps(compose):
    services = compose["services"]
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["migrate"]["restart"] == "no"
    used = {mount.split(":")[0] for each in services.values() for mount in each.get("volumes", [])}
    assert set(compose["volumes"]) == {name for name in used if not name.startswith(".")}
    assert "appendonly yes" in words_of(services["redis"])
    assert all("healthcheck" in services[name] for name in ("postgres", "redis", "migrate", "worker", "beat"))


def test_processes_get_the_time_they_need_to_stop(compose):
    from_code = re.search(r'"GRACE_SECONDS", "(\d+)"', (BASE_DIR / "core/stopping.py").read_text())
    for name in ("web", "worker"):
        service = compose["services"][name]
        drain = float(service["environment"].get("DRAIN_SECONDS", 0))
        assert int(service["stop_grace_period"].removesuffix("s")) > int(from_code[1]) + drain


def test_the_proxy_takes_files_of_a_gigabyte():
    text = (DEPLOY / "Caddyfile").read_text()
    assert "max_size 1GB" in text
    assert "reverse_proxy web:8000" in text


# --- without Docker


def test_start_runs_a_line_of_the_procfile():
    said = subprocess.run([DEPLOY / "start", "nonsense"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (2, "deploy/start: say web, worker or beat\n")
    assert subprocess.run([DEPLOY / "start"], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("script", ["start", "backup"])
def test_scripts_are_executable_and_parse(script):
    assert (DEPLOY / script).stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", DEPLOY / script], check=False).returncode == 0


def test_units_run_what_exists():
    for unit in (DEPLOY / "systemd").glob("*.service"):
        program = re.search(r"^ExecStart=/opt/perennial/(\S+)", unit.read_text(), re.MULTILINE)[1]
        assert (BASE_DIR / program).exists(), unit
