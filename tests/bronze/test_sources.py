"""The HTTP session and the Pylon reader, against a real HTTP server on loopback that replies as it is told."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.bronze.batch import Batch, Window
from include.bronze.extract import Extraction, text_of
from include.bronze.landing import Landing
from include.bronze.plan import PlannedBatch
from include.bronze.sources.http import Api, Credentials, Patience, RefusedError, SourceError, UnansweredError
from include.bronze.sources.pylon import Pylon
from include.bronze.streams import LoadStrategy, Stream, column_name, streams_of
from tests.support.scripted_server import Scripted, scripted_server

TOKEN = "very-secret-token"
PYLON_ISSUES, PYLON_ACCOUNTS = (streams_of("pylon")[name] for name in ("issues", "accounts"))
WINDOW = Window(datetime(2026, 1, 4, 6, tzinfo=UTC), datetime(2026, 1, 5, 6, tzinfo=UTC))


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server(TOKEN) as scripted:
        yield scripted


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def api(server: Scripted, time: Time, **patience: Any) -> Api:
    return Api(
        Credentials(server.url, TOKEN),
        patience=Patience(**patience),
        monotonic=lambda: time.now,
        sleep=time.sleep,
        reading_clock=lambda: datetime(2026, 1, 5, 7, tzinfo=UTC) + timedelta(seconds=time.now),
    )


def page(ids: list[str], cursor: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"request_id": "r"}
    if ids:
        body["data"] = [{"id": id_} for id_ in ids]
    if cursor:
        body["pagination"] = {"cursor": cursor, "has_next_page": True}
    return body


def ids(pages: Iterator[Any]) -> list[str]:
    return [bytes(record["id"]).decode().strip('"') for page in pages for record in page.records]


def test_a_search_sends_its_cursor_in_the_body_and_ends_where_pagination_is_omitted(server: Scripted) -> None:
    server.reply(page(["a", "b"], "c1")).reply(page(["c"]))
    assert ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW)) == ["a", "b", "c"]
    assert [(method, path) for method, path, _ in server.asked] == [("POST", "/issues/search")] * 2
    asked = {
        "filter": {
            "field": "updated_at",
            "operator": "time_range",
            "values": ["2026-01-04T06:00:00Z", "2026-01-05T06:00:00Z"],
        },
        "limit": 999,
    }
    assert [body for _, _, body in server.asked] == [asked, asked | {"cursor": "c1"}]


def test_a_listing_sends_its_cursor_in_the_query(server: Scripted) -> None:
    server.reply(page(["a"], "c/1")).reply(page(["b"]))
    assert ids(Pylon(api(server, Time())).pages(PYLON_ACCOUNTS, WINDOW)) == ["a", "b"]
    assert [path for _, path, _ in server.asked] == ["/accounts?limit=999", "/accounts?limit=999&cursor=c%2F1"]


def test_an_empty_reply_is_an_empty_window(server: Scripted) -> None:
    server.reply({"request_id": "r"})
    assert ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW)) == []


def test_a_glitch_page_is_asked_for_again_and_loses_nothing(server: Scripted) -> None:
    glitch = {"request_id": "g", "pagination": {"cursor": "c2", "has_next_page": True}}
    server.reply(page(["a"], "c1")).reply(glitch).reply(page(["b"], "c2")).reply(page(["c"]))
    assert ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW)) == ["a", "b", "c"]


def test_a_cursor_that_does_not_move_on_fails_the_scan(server: Scripted) -> None:
    server.reply(page(["a"], "c1")).reply(page(["b"], "c1"))
    with pytest.raises(UnansweredError, match="page 2 says there is a next page but its cursor does not move on"):
        ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW))


@pytest.mark.parametrize("header", ["Retry-After", "X-Retry-After"])
def test_a_429_waits_as_long_as_either_header_says(header: str, server: Scripted) -> None:
    time = Time()
    server.reply({"code": "rate_limited"}, 429, **{header: "7"}).reply(page(["a"]))
    assert ids(Pylon(api(server, time)).pages(PYLON_ISSUES, WINDOW)) == ["a"]
    assert 7 <= max(time.slept) < 8


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"oops"), (502, b""), (503, b"{}"), (200, b'{"data": [{"id"'), (200, b"")]
)
def test_a_passing_fault_is_asked_again(status: int, body: bytes, server: Scripted) -> None:
    server.reply(body, status).reply(page(["a"]))
    assert ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW)) == ["a"]


def test_a_lasting_fault_ends_in_one_sentence_that_says_what_came(server: Scripted) -> None:
    for _ in range(3):
        server.reply({"code": "internal_error"}, 500, x_pylon_request_id="req-9")
    with pytest.raises(UnansweredError, match=r"asked 3 times .* last came HTTP 500 \(internal_error\), request req-9"):
        ids(Pylon(api(server, Time(), tries=3)).pages(PYLON_ISSUES, WINDOW))


def test_patience_ends_before_a_wait_that_would_outlast_it(server: Scripted) -> None:
    time = Time()
    server.reply({}, 429, Retry_After="4000")
    with pytest.raises(UnansweredError, match="was asked 1 times"):
        ids(Pylon(api(server, time)).pages(PYLON_ISSUES, WINDOW))
    assert sum(time.slept) < 300


@pytest.mark.parametrize(("status", "code"), [(401, "wrong_region_token"), (403, "permission_denied")])
def test_a_refusal_is_not_asked_again_and_names_its_cause(status: int, code: str, server: Scripted) -> None:
    server.reply({"errors": ["x"], "code": code}, status)
    with pytest.raises(RefusedError, match=rf"HTTP {status} \({code}\).*Check the connection's token, region"):
        Pylon(api(server, Time())).preflight([])
    assert len(server.asked) == 1


def test_calls_of_one_bucket_keep_their_gap(server: Scripted) -> None:
    time = Time()
    server.reply(page(["a"], "c1")).reply(page(["b"]))
    ids(Pylon(api(server, time)).pages(PYLON_ISSUES, WINDOW))
    assert time.slept == [0.5]


def test_a_compressed_reply_is_read_as_what_was_compressed(server: Scripted) -> None:
    server.reply(gzip.compress(json.dumps(page(["a"])).encode()), Content_Encoding="gzip")
    assert ids(Pylon(api(server, Time())).pages(PYLON_ISSUES, WINDOW)) == ["a"]


def test_a_base_url_may_have_a_path(server: Scripted) -> None:
    server.reply(page(["a"]))
    ids(Pylon(Api(Credentials(f"{server.url}/through/", TOKEN))).pages(PYLON_ACCOUNTS, WINDOW))
    assert [path for _, path, _ in server.asked] == ["/through/accounts?limit=999"]


def test_a_redirect_is_not_followed_with_the_token(server: Scripted) -> None:
    server.reply(b"", 302, Location="/elsewhere")
    with pytest.raises(SourceError, match="HTTP 302"):
        Pylon(api(server, Time())).preflight([])
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_a_passing_fault(server: Scripted) -> None:
    nowhere = Api(Credentials("http://127.0.0.1:9", TOKEN), patience=Patience(tries=2), sleep=lambda _: None)
    with pytest.raises(UnansweredError, match=r"no reply \(NewConnectionError\)"):
        Pylon(nowhere).preflight([])


def test_no_token_and_no_customer_text_reaches_the_log(
    server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply({"code": "rate_limited", "errors": ["my card number"]}, 429)
    server.reply({"data": [{"id": "a", "title": "my card number"}], "request_id": "r"})
    run_extract(server, tmp_path)
    assert caplog.text
    assert TOKEN not in caplog.text
    assert "card" not in caplog.text
    assert TOKEN not in repr(Credentials("https://x", TOKEN))


def run_extract(server: Scripted, tmp_path: Path, stream: Stream = PYLON_ISSUES) -> list[dict[str, Any]]:
    landing = Landing(str(tmp_path))
    planned = PlannedBatch(Batch("def", f"pylon_{stream.object}", WINDOW), LoadStrategy.INCREMENTAL)
    called = api(server, Time())
    extraction = Extraction(stream, Pylon(called), landing, "run-1", timedelta(hours=1), called.reading_clock)
    manifest = extraction.extract(planned)
    rows: list[dict[str, Any]] = []
    for part in manifest.parts:
        rows += pq.read_table(landing.full_path(part.path)).to_pylist()
    assert manifest.rows == len(rows)
    return rows


def test_values_are_kept_as_delivered_and_the_six_columns_filled(server: Scripted, tmp_path: Path) -> None:
    raw = (
        b'{"data":[{"id":"i1","number":12,"title":"caf\\u00e9 \\"x\\"","customer_portal_visible":false,"account":null,'
        b'"custom_fields":{"a.b":  {"value":"1"}},"tags":[]}],"request_id":"r"}'
    )
    server.reply(raw)
    (row,) = run_extract(server, tmp_path)
    assert row["TITLE"] == 'café "x"'
    assert row["NUMBER"] == "12"
    assert row["CUSTOMER_PORTAL_VISIBLE"] == "false"
    assert row["ACCOUNT"] is None
    assert row["CUSTOM_FIELDS"] == '{"a.b":  {"value":"1"}}'
    assert row["TAGS"] == "[]"
    assert row["STATE"] is None
    assert row["RECORD_KEY"] == "i1"
    assert len(row["RECORD_HASH"]) == 64
    assert row["DATE_TO_WAREHOUSE"] == "2026-01-05T07:00:00.000000Z"
    assert row["SOURCE_FILE"].endswith("/part-00001.parquet#page=000001")
    assert row["BATCH_ID"] == "def__pylon_issues__20260104T060000Z__20260105T060000Z"
    assert row["PIPELINE_RUN_ID"] == "run-1"


def test_the_overlap_is_asked_for_and_the_window_is_not_widened(server: Scripted, tmp_path: Path) -> None:
    server.reply(page([]))
    run_extract(server, tmp_path)
    assert server.asked[0][2]["filter"]["values"] == ["2026-01-04T05:00:00Z", "2026-01-05T06:00:00Z"]


def test_a_field_nobody_declared_is_kept(server: Scripted, tmp_path: Path) -> None:
    server.reply({"data": [{"id": "a"}, {"id": "b", "mood-score": 3}], "request_id": "r"})
    assert [row["MOOD_SCORE"] for row in run_extract(server, tmp_path)] == [None, "3"]


def test_a_snapshot_covers_everything_as_of_before_its_first_request(server: Scripted, tmp_path: Path) -> None:
    server.reply(page(["a"]))
    (row,) = run_extract(server, tmp_path, PYLON_ACCOUNTS)
    manifest = Landing(str(tmp_path)).newest(Batch("def", "pylon_accounts", WINDOW))
    (scope,) = manifest.coverage
    assert (scope.scope, scope.outcome, scope.rows) == ("*", "complete", 1)
    assert scope.observed_at <= datetime.fromisoformat(row["DATE_TO_WAREHOUSE"])


def test_a_record_without_its_key_fails_the_batch_and_leaves_nothing_complete(server: Scripted, tmp_path: Path) -> None:
    server.reply({"data": [{"title": "x"}], "request_id": "r"})
    with pytest.raises(SourceError, match="page 1 holds a record without 'id'"):
        run_extract(server, tmp_path)
    assert not list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize(
    ("field_name", "column"),
    [
        ("id", "ID"),
        ("mood-score", "MOOD_SCORE"),
        ("2nd", "_2ND"),
        ("a.b", "A_B"),
        ("updatedAt", "UPDATED_AT"),
        ("isAI", "IS_AI"),
        ("é", "_"),
    ],
)
def test_any_field_name_becomes_a_column_name(field_name: str, column: str) -> None:
    assert column_name(field_name) == column


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"null", None),
        (b'"null"', "null"),
        (b'""', ""),
        (b"0", "0"),
        (b"1.50", "1.50"),
        (b'"a\\nb"', "a\nb"),
        (b"true", "true"),
    ],
)
def test_json_values_as_text(raw: bytes, text: str | None) -> None:
    assert text_of(raw) == text
