"""Setting up on a bare machine: which Python, which uv, and what it says when something is missing."""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bootstrap
import get_uv
import pytest

BASE_DIR = Path(__file__).parents[2]
FAKE_UV = f"#!/bin/sh\necho 'uv {get_uv.PINNED} (a fake)'\n"


def program(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return str(folder / name)


# --- Python


def test_this_python_will_do():
    assert bootstrap.find_python() == sys.executable


def test_an_old_python_finds_a_newer_one_on_the_path(tmp_path, monkeypatch):
    old = program(tmp_path, "python3", "#!/bin/sh\necho 3 9\n")
    new = program(tmp_path, "python3.12", "#!/bin/sh\necho 3 12\n")
    monkeypatch.setattr(sys, "executable", old)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.find_python() == new


def test_a_python_with_a_wheel_for_redis_goes_before_a_newer_one(tmp_path, monkeypatch):
    newest = program(tmp_path, "python3", "#!/bin/sh\necho 3 14\n")
    monkeypatch.setattr(sys, "executable", newest)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.find_python() == newest
    assert program(tmp_path, "python3.11", "#!/bin/sh\necho 3 11\n") == bootstrap.find_python()


def test_names_on_the_path_that_do_not_run_are_passed_over(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", program(tmp_path, "python3", "#!/bin/sh\necho 3 9\n"))
    program(tmp_path, "python3.12", "#!/bin/sh\nexit 127\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        bootstrap.find_python()
    assert ended.value.code == 2
    assert "Perennial needs Python 3.11 or later" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "fit"), [("v20.1.0", True), ("v18.0.0", True), ("v16.20.2", False), ("", False)])
def test_an_old_node_is_passed_over(tmp_path, monkeypatch, said, fit):
    program(tmp_path, "node", f"#!/bin/sh\necho {said}\n")
    program(tmp_path, "npm", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.has_node() is fit


def test_a_taken_port_is_said_before_anything_long(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            bootstrap.demand_free(port)
    assert ended.value.code == 2
    assert f"Port {port} cannot be used" in capsys.readouterr().err
    bootstrap.demand_free(port)


def test_a_step_runs_again_only_when_its_inputs_change(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "TOOLS", tmp_path / ".tools")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "lock").write_text("one")
    assert not bootstrap.is_done("step", bootstrap.digest("lock"))
    bootstrap.mark_done("step", bootstrap.digest("lock"))
    assert bootstrap.is_done("step", bootstrap.digest("lock"))
    (tmp_path / "lock").write_text("two")
    assert not bootstrap.is_done("step", bootstrap.digest("lock"))


def test_a_step_that_fails_is_named(capfd):
    with pytest.raises(SystemExit):
        bootstrap.run(["false", "an", "argument"], sys.executable)
    assert "This step failed, its message is above: false an argument" in capfd.readouterr().err


def test_node_trusts_what_ssl_cert_file_holds(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", "/some/certificates")
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    bootstrap.run(["sh", "-c", f'[ "$NODE_EXTRA_CA_CERTS" = /some/certificates ] && touch {tmp_path}/yes'], "python3")
    assert (tmp_path / "yes").exists()


def test_the_scripts_still_speak_to_an_old_python():
    """Python 3.8 must get as far as the sentence that asks for 3.11."""
    for name in ("bootstrap.py", "get_uv.py"):
        compile((BASE_DIR / "tools" / name).read_text(), name, "exec", dont_inherit=True)
        ast_of_old(BASE_DIR / "tools" / name)


def ast_of_old(path):
    line = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 8))"
    subprocess.run([sys.executable, "-c", line, str(path)], check=True)


# --- uv


def test_a_recent_uv_on_the_path_is_taken(tmp_path, monkeypatch):
    found = program(tmp_path / "bin", "uv", "#!/bin/sh\necho 'uv 0.9.1 (2025-10-09)'\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    assert get_uv.path(tmp_path / ".tools") == found


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index with a wheel of uv for this machine, and a Python that has no pip."""
    served = tmp_path / "served"
    make_index(served)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
        monkeypatch.setenv("PATH", "/bin:/usr/bin")
        monkeypatch.setattr("shutil.which", lambda name: None)
        monkeypatch.setattr(get_uv, "install_with_pip", lambda target: False)
        yield served
        server.shutdown()


def make_index(served):
    tag = get_uv.platform_tags()[0].replace("[0-9_]*", "_2_17").replace(".*", "11_0")
    name = f"uv-{get_uv.PINNED}-py3-none-{tag}.whl"
    (served / "simple" / "uv").mkdir(parents=True)
    with zipfile.ZipFile(served / name, "w") as wheel:
        for each in ("uv", "uvx"):
            wheel.writestr(f"uv-{get_uv.PINNED}.data/scripts/{each}", FAKE_UV)
    digest = hashlib.sha256((served / name).read_bytes()).hexdigest()
    others = [f"uv-{get_uv.PINNED}.tar.gz", "uv-0.0.1-py3-none-any.whl", f"uv-{get_uv.PINNED}-py3-none-win_amd64.whl"]
    links = [*others, f"{name}#sha256={digest}"]
    page = "".join(f'<a href="../../{link}">{link}</a>' for link in links)
    (served / "simple" / "uv" / "index.html").write_text(page)


def test_without_pip_uv_comes_from_the_index(index, tmp_path):
    found = get_uv.path(tmp_path / ".tools")
    assert found == str(tmp_path / ".tools" / f"uv-{get_uv.PINNED}" / "bin" / "uv")
    assert get_uv.version(found) == (0, 13)
    assert os.access(Path(found).with_name("uvx"), os.X_OK)
    (index / "simple" / "uv" / "index.html").unlink()
    assert get_uv.path(tmp_path / ".tools") == found


def test_a_damaged_download_is_refused(index, tmp_path):
    page = index / "simple" / "uv" / "index.html"
    page.write_text(page.read_text().replace("sha256=", "sha256=0"))
    with pytest.raises(get_uv.NoUvError, match="SHA-256 differs"):
        get_uv.path(tmp_path / ".tools")


def test_an_index_without_a_fit_wheel_says_so(index, tmp_path):
    page = index / "simple" / "uv" / "index.html"
    page.write_text(page.read_text().replace(get_uv.PINNED, "0.0.2"))
    with pytest.raises(get_uv.NoUvError, match=rf"it has no uv {get_uv.PINNED} for this machine"):
        get_uv.path(tmp_path / ".tools")


def test_an_index_out_of_reach_says_so_without_the_password(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:1/simple")
    with pytest.raises(get_uv.NoUvError, match=r"could not be had from http://…@127.0.0.1:1/simple") as refused:
        get_uv.install_from_index(tmp_path / "uv")
    assert "secret" not in str(refused.value)
