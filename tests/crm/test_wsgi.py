"""What the web server loads before it forks."""

import os
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).parents[2]
LOADED = "import sys, crm.wsgi; print('crm.urls' in sys.modules, 'crm.desk_urls' in sys.modules)"


def test_pages_are_read_before_the_first_visitor(tmp_path):
    """A process of its own, and no server: loading the pages asks the database nothing."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "crm.settings", "PERENNIAL_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"
