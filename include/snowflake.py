"""How Snowflake is reached: from the Airflow connection `snowflake_support`, or from SNOWFLAKE_* in the environment.

The names of the environment are the common form: the dbt profile reads them, and a connection is translated into them.
Nothing here opens a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.settings import ConfigurationError

CONNECTION = "snowflake_support"

# Where the fields of the connection's extra go, as Airflow's Snowflake provider spells them.
_EXTRA = {
    "account": "SNOWFLAKE_ACCOUNT",
    "role": "SNOWFLAKE_ROLE",
    "warehouse": "SNOWFLAKE_WAREHOUSE",
    "authenticator": "SNOWFLAKE_AUTHENTICATOR",
    "token": "SNOWFLAKE_TOKEN",
    "private_key_file": "SNOWFLAKE_PRIVATE_KEY_PATH",
    "private_key_content": "SNOWFLAKE_PRIVATE_KEY",
    "host": "SNOWFLAKE_HOST",
    "port": "SNOWFLAKE_PORT",
    "protocol": "SNOWFLAKE_PROTOCOL",
}
DEFAULT_ROLE = "SUPPORT_TRANSFORMER"
DEFAULT_WAREHOUSE = "SUPPORT_WH"


def environment_of(user: str | None, password: str | None, extra: Mapping[str, Any]) -> dict[str, str]:
    """A connection as SNOWFLAKE_* settings. Its password may be a key's passphrase, or a token."""
    values = {name: str(extra[key]) for key, name in _EXTRA.items() if extra.get(key)}
    if extra.get("region") and "SNOWFLAKE_ACCOUNT" in values:
        values["SNOWFLAKE_ACCOUNT"] += f".{extra['region']}"
    if user:
        values["SNOWFLAKE_USER"] = user
    if password:
        has_key = "SNOWFLAKE_PRIVATE_KEY" in values or "SNOWFLAKE_PRIVATE_KEY_PATH" in values
        is_token = values.get("SNOWFLAKE_AUTHENTICATOR", "").lower() == "oauth"
        kind = "PRIVATE_KEY_PASSPHRASE" if has_key else "TOKEN" if is_token else "PASSWORD"
        values.setdefault(f"SNOWFLAKE_{kind}", password)
    return values


@dataclass(frozen=True)
class Login:
    """Who logs in, and by what: the first of a key, a token and a password that is set."""

    account: str
    user: str
    role: str = DEFAULT_ROLE
    warehouse: str = DEFAULT_WAREHOUSE
    private_key: str | None = field(default=None, repr=False)
    private_key_path: str | None = None
    passphrase: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    protocol: str | None = None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Login:
        """The login that SNOWFLAKE_* settings describe."""

        def value(name: str) -> str | None:
            return values.get(f"SNOWFLAKE_{name}") or None

        account, user, port = value("ACCOUNT"), value("USER"), value("PORT")
        if account is None:
            raise ConfigurationError(
                f"no Snowflake account is set: give connection {CONNECTION} one (extra.account), or set "
                "SNOWFLAKE_ACCOUNT in the environment"
            )
        if user is None:
            raise ConfigurationError(
                f"no Snowflake user is set: give connection {CONNECTION} a login, or set SNOWFLAKE_USER in the "
                "environment"
            )
        if port is not None and not port.isdigit():
            raise ConfigurationError(f"SNOWFLAKE_PORT is '{port}'; it must be a number")
        login = cls(
            account=account,
            user=user,
            role=value("ROLE") or DEFAULT_ROLE,
            warehouse=value("WAREHOUSE") or DEFAULT_WAREHOUSE,
            private_key=value("PRIVATE_KEY"),
            private_key_path=value("PRIVATE_KEY_PATH"),
            passphrase=value("PRIVATE_KEY_PASSPHRASE"),
            token=value("TOKEN"),
            password=value("PASSWORD"),
            host=value("HOST"),
            port=int(port) if port else None,
            protocol=value("PROTOCOL"),
        )
        if not (login.has_key or login.token or login.password):
            raise ConfigurationError(
                f"Snowflake user {user} has no way to log in: set a private key (SNOWFLAKE_PRIVATE_KEY_PATH or the "
                "connection's extra.private_key_file), an OAuth token or a password; see docs/snowflake.md"
            )
        return login

    @property
    def has_key(self) -> bool:
        return bool(self.private_key or self.private_key_path)

    def arguments(self) -> dict[str, Any]:
        """What snowflake.connector.connect wants to know of it."""
        arguments: dict[str, Any] = {
            "account": self.account,
            "user": self.user,
            "role": self.role,
            "warehouse": self.warehouse,
        }
        if self.has_key:
            arguments["private_key"] = self._key()
        elif self.token:
            arguments |= {"token": self.token, "authenticator": "oauth"}
        else:
            arguments["password"] = self.password
        return arguments | {
            name: value
            for name, value in (("host", self.host), ("port", self.port), ("protocol", self.protocol))
            if value is not None
        }

    def _key(self) -> bytes:
        """The private key, decrypted, in the form the connector takes."""
        from cryptography.hazmat.primitives import serialization

        where = "SNOWFLAKE_PRIVATE_KEY"
        text = (self.private_key or "").replace("\\n", "\n").encode()
        if self.private_key_path:
            where = self.private_key_path
            try:
                text = Path(self.private_key_path).expanduser().read_bytes()
            except OSError as error:
                raise ConfigurationError(f"the private key {where} cannot be read: {error.strerror}") from None
        try:
            key = serialization.load_pem_private_key(text, self.passphrase.encode() if self.passphrase else None)
        except TypeError:
            need = "is encrypted and needs" if self.passphrase is None else "is not encrypted and needs no"
            raise ConfigurationError(
                f"the private key {where} {need} passphrase (SNOWFLAKE_PRIVATE_KEY_PASSPHRASE)"
            ) from None
        except ValueError:
            raise ConfigurationError(
                f"the private key {where} cannot be used: it is no PEM key, or its passphrase is wrong"
            ) from None
        return key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
