"""Fail when a file of the repository holds a secret.

    .venv-lint/bin/python lint/secret_scan.py            every file git would commit
    .venv-lint/bin/python lint/secret_scan.py FILE ...   these files

detect-secrets knows the common formats; the two detectors below add what this project's own systems hand out. Nothing
is verified over the network. A value that only looks like a secret is listed in `secrets-allowed.txt` with its reason;
the report never prints the value it found.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = Path(__file__).with_name("secrets-allowed.txt")

# Entropy detectors call every checksum and constraint hash a secret; IP addresses are not secrets.
LEFT_OUT = {"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"}
SHORTEST = 6  # password = "pw" is what a test says, not what anyone protects a system with
OPTIONS = {"KeywordDetector": {"keyword_exclude": "secret_type"}}  # the name a detector gives its finding

FILTERS = (
    "detect_secrets.filters.heuristic.is_indirect_reference",  # password = settings.password
    "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign",  # password: $PASSWORD
    "detect_secrets.filters.heuristic.is_templated_secret",  # password: {{ password }}
    "detect_secrets.filters.heuristic.is_not_alphanumeric_string",  # password: ****
)


class NamedToken(RegexBasedDetector):
    """Keys of the systems this project talks to: Plain's have a prefix, Pylon's only the name they are kept under."""

    secret_type = "API token or password"  # noqa: S105  # a label, not a secret
    denylist = (
        re.compile(r"(plainApiKey_\w{8,})"),  # real ones are long; what tests make up is short
        re.compile(r"\bBearer\s+(?=\S*\d)([\w.~+/=-]{12,})"),  # with a digit: prose has none
        # a quoted value under a name such as pylon_token, "PYLON_DEF_TOKEN" or pylonApiKey
        re.compile(r"""(?i)\b(?:pylon|plain)\w*(?:token|api_?key)["']?\]?\s*[=:]\s*["']([^"'\s]{8,})["']"""),
        # an environment file or a shell line
        re.compile(r"""\b[A-Z][A-Z0-9_]*(?:TOKEN|API_?KEY|PASSWORD|PASSPHRASE|SECRET)=["']?([^\s"'$<{(]{6,})"""),
    )


class ConnectionPassword(RegexBasedDetector):
    """A password inside a connection: in a URI, in Airflow's JSON form, or in airflow_settings.yaml."""

    secret_type = "Password in a connection"  # noqa: S105  # a label, not a secret
    denylist = (
        re.compile(r"""[a-z][a-z0-9+.-]*://[^\s:/@"'`]*:([^\s/"'`{}]{3,})@[\w\[]"""),
        re.compile(r'"password"\s*:\s*"([^"]{3,})"'),
        re.compile(r"^\s*(?:- )?conn_password:\s*([^\s#]{3,})"),
    )


class AnyPrivateKey(RegexBasedDetector):
    """Every PEM private key, the encrypted PKCS#8 ones that Snowflake's key-pair login uses among them."""

    secret_type = "PEM private key"  # noqa: S105  # a label, not a secret
    denylist = (re.compile(r"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)"),)


OWN = (NamedToken, ConnectionPassword, AnyPrivateKey)


def allowed_values(text: str) -> dict[str, str]:
    """The values that may stand in the repository, each with the reason on its own line."""
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        value, _, reason = (part.strip() for part in line.partition(" # "))
        if not reason:
            raise ValueError(f"{ALLOWED.name}:{number}: {value!r} needs a reason: `value # why it is no secret`")
        values[value] = reason
    return values


def committed_files() -> list[Path]:
    """What git tracks or would add; ignored files never leave the machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def find_secrets(files: Iterable[Path], allowed: Iterable[str] = ()) -> Iterator[tuple[Path, PotentialSecret]]:
    known = get_mapping_from_secret_type_to_class()
    known.update({detector.secret_type: detector for detector in OWN})
    plugins = [
        {"name": each.__name__, **OPTIONS.get(each.__name__, {})}
        for each in known.values()
        if each.__name__ not in LEFT_OUT
    ]
    accepted = set(allowed)
    with transient_settings({"plugins_used": plugins, "filters_used": [{"path": path} for path in FILTERS]}):
        for path in files:
            found = SecretsCollection()
            found.scan_file(str(path))
            for _, secret in found:
                value = secret.secret_value or ""
                if value not in accepted and (secret.type != "Secret Keyword" or len(value) >= SHORTEST):
                    yield path, secret


def main(argv: list[str]) -> int:
    files = [Path(name) for name in argv] or committed_files()
    found = {
        (path, secret.line_number, secret.type)
        for path, secret in find_secrets(files, allowed_values(ALLOWED.read_text(encoding="utf-8")))
    }
    for path, line, kind in sorted(found):
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{shown}:{line}: {kind}")
    if found:
        print(f"Take it out and revoke it where it was made; if it is no secret, say why in lint/{ALLOWED.name}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
