"""What a stack keeps secret: passwords and signing keys, generated once per data folder, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

# User names and roles. Marking task instances is an edit of a DAG run: role user is the least that may.
ADMIN = "admin"
FAST_FORWARD = "fast_forward"
USERS = {ADMIN: "admin", FAST_FORWARD: "user"}


@dataclass(frozen=True)
class Secrets:
    """The generated values, and the file Airflow reads the passwords from."""

    passwords_file: Path
    passwords: dict[str, str]
    jwt_secret: str
    api_secret: str
    fernet_key: str


def _kept(path: Path, wanted: dict[str, str]) -> dict[str, str]:
    """The values in this file; those it lacks are taken from `wanted` and written. A person's own values stay."""
    values: dict[str, str] = json.loads(path.read_text()) if path.is_file() and path.stat().st_size else {}
    missing = {key: value for key, value in wanted.items() if key not in values}
    if missing:
        values |= missing
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(values) + "\n")
        fresh.replace(path)
    path.chmod(0o600)
    return values


def ensure_secrets(airflow_home: Path) -> Secrets:
    """Read what this data folder already has, make what it lacks."""
    passwords_file = airflow_home / "passwords.json"
    passwords = _kept(passwords_file, {user: secrets.token_urlsafe(12) for user in USERS})
    keys = _kept(
        airflow_home / "keys.json",
        {
            "jwt_secret": secrets.token_urlsafe(48),
            "api_secret": secrets.token_urlsafe(32),
            "fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        },
    )
    return Secrets(passwords_file, passwords, keys["jwt_secret"], keys["api_secret"], keys["fernet_key"])
