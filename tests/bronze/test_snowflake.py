"""How Snowflake is logged in to, and what is said when it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from include.bronze.landing import Landing
from include.bronze.warehouses import WarehouseError
from include.bronze.warehouses.snowflake import SnowflakeWarehouse
from include.settings import ConfigurationError
from include.snowflake import Login, environment_of
from tests.bronze.test_landing_and_warehouse import ISSUES, batch, land
from tests.snowflake.emulator import Emulator

WHO = {"SNOWFLAKE_ACCOUNT": "acme-support", "SNOWFLAKE_USER": "LOADER"}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey, passphrase: str | None = None) -> bytes:
    hidden: Any = serialization.NoEncryption()
    if passphrase:
        hidden = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)


def der(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_connection_is_the_same_as_the_environment() -> None:
    extra = {"account": "acme", "region": "eu-west-1", "role": "R", "warehouse": "W", "port": 444}
    password = "pass"
    assert environment_of("ANA", password, extra) == {
        "SNOWFLAKE_ACCOUNT": "acme.eu-west-1",
        "SNOWFLAKE_USER": "ANA",
        "SNOWFLAKE_PASSWORD": password,
        "SNOWFLAKE_ROLE": "R",
        "SNOWFLAKE_WAREHOUSE": "W",
        "SNOWFLAKE_PORT": "444",
    }
    assert environment_of(None, None, {}) == {}


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({}, "SNOWFLAKE_PASSWORD"),
        ({"private_key_file": "k.p8"}, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        ({"private_key_content": "-----"}, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        ({"authenticator": "oauth"}, "SNOWFLAKE_TOKEN"),
    ],
)
def test_a_connections_password_is_what_its_kind_of_login_needs(extra: dict[str, str], name: str) -> None:
    assert environment_of("ANA", "secret", extra)[name] == "secret"


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
@pytest.mark.parametrize("inline", [False, True])
def test_a_key_may_be_a_file_or_a_text_and_encrypted(
    key: rsa.RSAPrivateKey, passphrase: str | None, inline: bool, tmp_path: Path
) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(pem(key, passphrase))
    given = {"SNOWFLAKE_PRIVATE_KEY": file.read_text()} if inline else {"SNOWFLAKE_PRIVATE_KEY_PATH": str(file)}
    if passphrase:
        given["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] = passphrase
    arguments = Login.read(WHO | given).arguments()
    assert arguments["private_key"] == der(key)
    assert "password" not in arguments


def test_a_key_goes_before_a_token_and_a_token_before_a_password(key: rsa.RSAPrivateKey) -> None:
    password, token = {"SNOWFLAKE_PASSWORD": "pass"}, {"SNOWFLAKE_TOKEN": "abc"}
    assert Login.read(WHO | password).arguments()["password"] == "pass"
    arguments = Login.read(WHO | password | token).arguments()
    assert (arguments["token"], arguments["authenticator"]) == ("abc", "oauth")
    with_key = Login.read(WHO | password | token | {"SNOWFLAKE_PRIVATE_KEY": pem(key).decode()}).arguments()
    assert with_key.keys() & {"password", "token", "private_key"} == {"private_key"}


def test_no_secret_is_shown(key: rsa.RSAPrivateKey) -> None:
    secrets = {f"SNOWFLAKE_{name}": "hidden" for name in ("PASSWORD", "TOKEN", "PRIVATE_KEY_PASSPHRASE", "PRIVATE_KEY")}
    assert "hidden" not in repr(Login.read(WHO | secrets))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no Snowflake account is set"),
        ({"SNOWFLAKE_ACCOUNT": "a"}, "no Snowflake user is set"),
        (WHO, "user LOADER has no way to log in: set a private key"),
        (WHO | {"SNOWFLAKE_PASSWORD": "x", "SNOWFLAKE_PORT": "many"}, "SNOWFLAKE_PORT is 'many'"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Login.read(values)


@pytest.mark.parametrize(
    ("encrypted_by", "passphrase", "said"),
    [
        ("right", "wrong", "is no PEM key, or its passphrase is wrong"),
        ("right", None, "is encrypted and needs passphrase"),
        (None, "any", "is not encrypted and needs no passphrase"),
    ],
)
def test_a_key_that_cannot_be_opened_says_why(
    key: rsa.RSAPrivateKey, encrypted_by: str | None, passphrase: str | None, said: str
) -> None:
    values = WHO | {"SNOWFLAKE_PRIVATE_KEY": pem(key, encrypted_by).decode()}
    values |= {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": passphrase} if passphrase else {}
    with pytest.raises(ConfigurationError, match=said):
        Login.read(values).arguments()


def test_a_key_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.p8 cannot be read: No such file"):
        Login.read(WHO | {"SNOWFLAKE_PRIVATE_KEY_PATH": str(Path("nowhere.p8"))}).arguments()


def open_one(emulator: Emulator, **settings: str) -> SnowflakeWarehouse:
    environment = {name: value for name, value in emulator.environment.items() if name != "SNOWFLAKE_PASSWORD"}
    given = {f"SNOWFLAKE_{name}": value for name, value in settings.items()} or {"SNOWFLAKE_PASSWORD": "x"}
    return SnowflakeWarehouse(Login.read(environment | given), "DEF_DB_LOGIN", {"by": "a test"}, patience=5)


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["key", "token", "password"])
def test_every_kind_of_login_opens_the_warehouse(emulator: Emulator, key: rsa.RSAPrivateKey, kind: str) -> None:
    by = {"key": {"PRIVATE_KEY": pem(key).decode()}, "token": {"TOKEN": "abc"}, "password": {"PASSWORD": "x"}}
    warehouse = open_one(emulator, **by[kind])
    assert warehouse.ledger() == []
    warehouse.close()


REFUSED_LOGINS = [
    (390144, "JWT token is invalid. [a1b2]", "the key of user LOADER is not .* registered"),
    (390318, "OAuth access token expired. [a1b2]", "the OAuth token has expired"),
    (390303, "Invalid OAuth access token. [a1b2]", "the OAuth token has expired or is not valid"),
    (390100, "Incorrect username or password was specified.", "user LOADER and what it logs in by do not belong"),
    (390189, "Role 'X' specified in the connect string does not exist or not authorized.", "GRANT ROLE .* TO USER"),
    (390201, "The requested warehouse does not exist or not authorized.", "GRANT USAGE ON WAREHOUSE SUPPORT_WH"),
    (390420, "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake.", "a network policy"),
]


@pytest.mark.integration
@pytest.mark.parametrize(("code", "message", "said"), REFUSED_LOGINS, ids=[str(code) for code, _, _ in REFUSED_LOGINS])
def test_a_login_that_is_refused_says_what_to_do(emulator: Emulator, code: int, message: str, said: str) -> None:
    emulator.fail("login", code, "08001", message, times=1)
    with pytest.raises(WarehouseError, match=f"DEF_DB_LOGIN cannot be opened: .*{said}"):
        open_one(emulator)


REFUSED_STATEMENTS = [
    (606, "57P03", "No active warehouse selected in the current session.", "warehouse SUPPORT_WH does not exist or role"),
    (90073, "22000", "Warehouse 'SUPPORT_WH' cannot be resumed because resource monitor 'M' has exceeded its quota.",
     "warehouse SUPPORT_WH is suspended and does not resume"),
    (3001, "42501", "Insufficient privileges to operate on schema 'BRONZE'", "role SUPPORT_TRANSFORMER lacks a privilege"),
    (2003, "02000", "Schema 'DEF_DB_DEV.BRONZE' does not exist or not authorized.", "or role SUPPORT_TRANSFORMER may not"),
    (90105, "22000", "Cannot perform CREATE SCHEMA. This session does not have a current database.",
     "the database does not exist"),
    (390114, "08001", "Authentication token has expired. The user must authenticate again.", "the session has expired"),
]  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize(
    ("code", "state", "message", "said"), REFUSED_STATEMENTS, ids=[str(code) for code, *_ in REFUSED_STATEMENTS]
)
def test_a_load_that_is_refused_says_what_to_do(
    emulator: Emulator, tmp_path: Path, code: int, state: str, message: str, said: str
) -> None:
    landing = Landing(str(tmp_path))
    manifest = land(landing, batch(4), ["a"])
    warehouse = open_one(emulator)
    emulator.fail(r"create schema", code, state, message)
    with pytest.raises(WarehouseError, match=rf"batch {batch(4).id} was not loaded and .* is as it was: .*{said}"):
        warehouse.load(ISSUES, manifest, landing, "run")
    warehouse.close()


def test_an_account_that_cannot_be_reached_says_so() -> None:
    nowhere = WHO | {"SNOWFLAKE_PASSWORD": "x", "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": "1"}
    with pytest.raises(WarehouseError, match="Snowflake cannot be reached, or the connection broke: check account"):
        SnowflakeWarehouse(Login.read(nowhere | {"SNOWFLAKE_PROTOCOL": "http"}), "DEF_DB_DEV", {}, patience=2)


@pytest.mark.integration
def test_every_statement_says_who_sent_it_and_for_what(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    change = SnowflakeWarehouse._change
    monkeypatch.setattr(
        SnowflakeWarehouse, "_change", lambda self, sql, values=(): sent.append(sql) or change(self, sql, values)
    )
    landing = Landing(str(tmp_path))
    warehouse = open_one(emulator)
    warehouse.load(ISSUES, land(landing, batch(4), ["a"]), landing, "scheduled__2026-01-05")
    warehouse.close()
    tag = json.dumps({"by": "a test", "run": "scheduled__2026-01-05", "batch": batch(4).id})
    assert sent[0] == f"alter session set query_tag = '{tag}'"
    assert emulator.query(f"list @DEF_DB_LOGIN.BRONZE.%{ISSUES.name}", "DEF_DB_LOGIN") == [], (
        "something stayed on the stage"
    )
