"""Which failures are worth another try."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

SOURCE_RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[
                "include.bronze.sources.http.RefusedError",
                "include.settings.ConfigurationError",
            ],
            action=RetryAction.FAIL,
            reason="the token, the region, a permission or the configuration is wrong; asking again cannot help",
        ),
        RetryRule(
            exception="include.bronze.sources.http.UnansweredError",
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=2),
            reason="the source may answer later",
        ),
    ]
)
