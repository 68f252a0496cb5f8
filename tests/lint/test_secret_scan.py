"""The scan knows the secrets this project could leak, lets the simulators' through, and never prints what it found."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration  # it runs in the lint tools' environment

ROOT = Path(__file__).resolve().parents[2]
LINT_PYTHON = ROOT / ".venv-lint" / "bin" / "python"
SCAN = ROOT / "lint" / "secret_scan.py"

# put together here, so that this file holds none of them
PLAIN = "plain" + "ApiKey_8s7df6s8d7f6"
VALUE = "".join(("q7", "Zr9", "xK2", "mP4", "aB3"))
PEM = "-----BEGIN {}PRIVATE KEY" + "-----"

SECRETS = {
    "plain_key.md": f"Use {PLAIN} for now",
    "pylon_env.env": f"PYLON_DEF_TOKEN={VALUE}",
    "pylon_export.sh": f'export PYLON_DEF_TOKEN="{VALUE}"',
    "pylon_code.py": f'pylon_token = "{VALUE}"',
    "pylon_json.json": json.dumps({"PYLON_API_KEY": VALUE}),
    "bearer.py": 'headers = {"Authorization": "Bear' + f'er {VALUE}"}}',
    "password_env.env": f"SNOWFLAKE_PASSWORD={VALUE}",
    "uri.env": f"AIRFLOW_CONN_WAREHOUSE=postgres://loader:{VALUE}@db.example.com/x",
    "uri_odd.yaml": f"conn_uri: snowflake://u:{VALUE}!x@account/db",
    "uri_no_user.py": f'url = "redis://:{VALUE}@cache:6379"',
    "connection.env": 'AIRFLOW_CONN_PYLON_DEF={"conn_type":"http","pass' + f'word":"{VALUE}"}}',
    "settings.yaml": f"    - conn_id: x\n      conn_password: {VALUE}",
    "pkcs8.pem": PEM.format(""),
    "pkcs8_encrypted.pem": PEM.format("ENCRYPTED "),
    "rsa.py": f'KEY = """{PEM.format("RSA ")}"""',
    "aws.py": 'key = "AK' + 'IAQ3EGRIVSLXK7PQ2M"',
    "github.txt": "gh" + "p_" + "a1B2c3D4e5" * 3 + "a1B2c3",
}
HARMLESS = {
    "simulated.py": 'token = "sim-pylon-token" or "plainApiKey_sim"',
    "simulated.env": "PYLON_DEF_TOKEN=sim-pylon-token",
    "simulated.yml": '\'{"conn_type": "http", "host": "http://127.0.0.1:8701", "password": "sim-pylon-token"}\'',
    "empty.env": "PYLON_DEF_TOKEN=" + "\nSNOWFLAKE_PASSWORD=",
    "from_environment.py": 'password = os.environ["SNOWFLAKE_PASSWORD"]',
    "from_settings.py": "password = settings.password",
    "shell.sh": 'export PYLON_DEF_TOKEN="$TOKEN" OTHER_TOKEN=$(cat file)',
    "template.yml": "password: \"{{ env_var('SNOWFLAKE_PASSWORD') }}\"",
    "checksum.txt": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "url.md": "http://localhost:8080/support and https://user@example.com/path:x",
    "short.py": 'password = "pw"',
    "words.md": "The token is configured as PYLON_DEF_TOKEN, the password in Airflow.",
    "format_string.py": 'url = f"https://{user}:{password}@{host}"',
}


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    assert LINT_PYTHON.exists(), "the lint tools are not installed: run `make lint` once"
    folder = tmp_path_factory.mktemp("scanned")

    def run(files: dict[str, str]) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (folder / name).write_text(text + "\n")
        paths = [str(folder / name) for name in files]
        return subprocess.run(
            [str(LINT_PYTHON), str(SCAN), *paths], capture_output=True, text=True, check=False, timeout=60
        )

    return run


def test_every_planted_secret_is_found_where_it_stands(scan):
    done = scan(SECRETS)
    assert done.returncode == 1
    found = {Path(line.split(":")[0]).name for line in done.stdout.splitlines()[:-1]}
    assert found == set(SECRETS)
    assert any("settings.yaml:2: " in line for line in done.stdout.splitlines())


def test_a_found_secret_is_never_printed(scan):
    said = scan(SECRETS).stdout
    assert [secret for secret in (PLAIN, VALUE, "BEGIN") if secret in said] == []


def test_what_is_no_secret_passes(scan):
    done = scan(HARMLESS)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_secret_is_found_beside_an_allowed_value_on_the_same_line(scan):
    done = scan({"both.env": f"A_TOKEN=sim-pylon-token B_TOKEN={VALUE}"})
    assert done.returncode == 1


def test_an_inline_comment_cannot_excuse_a_secret(scan):
    done = scan({"excused.py": f'pylon_token = "{VALUE}"  # pragma: allowlist secret'})
    assert done.returncode == 1


def test_every_allowed_value_has_its_reason():
    code = (
        "import sys; sys.path.insert(0, 'lint'); from secret_scan import ALLOWED, allowed_values\n"
        "values = allowed_values(ALLOWED.read_text()); assert values and all(values.values())\n"
        "try: allowed_values('abcdef\\n')\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run(
        [str(LINT_PYTHON), "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "secrets-allowed.txt:1: 'abcdef' needs a reason: `value # why it is no secret`\n"
