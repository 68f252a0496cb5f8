"""Which Salesforce account a ticket is labelled with, against the world's own accounts."""

from __future__ import annotations

import pytest

from include.simulators.world.directory import PUBLIC_MAIL
from tests.gold.world import Built, Loaded, millis

pytestmark = pytest.mark.integration


def test_a_ticket_has_the_salesforce_account_of_the_account_it_is_of(loaded: Loaded) -> None:
    directory = loaded.world.directory
    crm = {loaded.truth.records.account_id(account.index): account.crm_id for account in directory.accounts}
    named = 0
    for row in loaded.relation("fct_def_tickets"):
        true = loaded.tickets[row["ticket_id"]].account_id
        if row["account_match_method"] == "crm_id" and true is not None:
            assert row["salesforce_account_id"] == crm[true]
            named += 1
        if row["salesforce_account_id"] is None:
            # It has none, or nothing tells which: no account known, or only an address anybody can have.
            assert row["account_match_method"] in ("public_domain", "unmatched")
    assert named > 40


def test_a_domain_stands_for_a_living_account_that_has_it(loaded: Loaded) -> None:
    views = {view.account.crm_id: view for view in loaded.world.directory.accounts_at(millis(loaded.at))}
    rows = {row["domain_key"]: row for row in loaded.relation("dim_account_domain_def")}
    for domain, row in rows.items():
        if row["salesforce_account_id"] is not None:
            assert domain in views[row["salesforce_account_id"]].domains
    owners = {domain: [v for v in views.values() if domain in v.domains] for domain in rows}
    for domain, those in owners.items():
        if domain in PUBLIC_MAIL:
            assert rows[domain]["account_match_method"] == "public_domain"
        elif any(view.account.crm_id for view in those):
            assert rows[domain]["salesforce_account_id"] is not None
        if len(those) > 1 and domain not in PUBLIC_MAIL:
            assert rows[domain]["is_shared_domain"]
    assert any(row["is_shared_domain"] for row in rows.values())


def test_an_account_that_was_merged_away_names_its_heir(loaded: Loaded) -> None:
    at = millis(loaded.at)
    directory, name = loaded.world.directory, loaded.truth.records.account_id
    merged = {
        name(account.index): name(account.merged_into)
        for account in directory.accounts
        if account.merged_into is not None and account.merged_at is not None and account.merged_at <= at
    }
    rows = {row["account_id"]: row for row in loaded.relation("dim_account_def")}
    assert {key: row["merged_into_account_id"] for key, row in rows.items() if row["is_deleted"]} == {
        key: heir for key, heir in merged.items() if key in rows
    }
    # A domain that came over with a merger stands for the heir, and says why.
    domains = {row["domain_key"]: row for row in loaded.relation("dim_account_domain_def")}
    gone = {rows[key]["primary_domain"]: rows[heir]["crm_account_id"] for key, heir in merged.items() if key in rows}
    assert gone or loaded.size != "tiny"
    assert {domain: domains[domain]["salesforce_account_id"] for domain in gone} == gone
    assert {domains[domain]["account_match_method"] for domain, heir in gone.items() if heir} <= {"merged_account"}


def test_the_old_names_know_of_salesforce_id_name_and_domain_only(built: Built) -> None:
    (bridge,) = built.query("select string_agg(column_name) as names from (describe int_ce__sf_unique_domain_account)")
    assert set(bridge["names"].split(",")) == {"account_id", "account_name", "domain_key"}
