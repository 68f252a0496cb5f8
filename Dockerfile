# Astro Runtime 3.3 is Airflow 3.3; the untagged image runs Python 3.14, where dbt-core 1.11 does not work yet.
# Which 3.3-n carries the Airflow that constraints.txt pins could not be looked up when this was written: the check
# below stops the build with a sentence if it is another one. -base, because only then is the order of steps ours and
# the resolved tree (constraints.txt) what gets installed.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12-base

WORKDIR /usr/local/airflow
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

COPY packages.txt requirements.txt constraints.txt ./

RUN pinned="$(sed -n 's/^apache-airflow==//p' constraints.txt)"; \
    found="$(python -c 'from importlib.metadata import version; print(version("apache-airflow"))')"; \
    if [[ "${found%%+*}" != "${pinned}" ]]; then \
        echo "This Runtime image has Airflow ${found}, constraints.txt pins ${pinned}: choose another 3.3-n tag" >&2; \
        exit 1; \
    fi

USER root
# hadolint ignore=DL3008
RUN mapfile -t packages < <(sed 's/[[:space:]]*#.*//; /^$/d' packages.txt); \
    if (( ${#packages[@]} )); then \
        apt-get update \
        && apt-get install --yes --no-install-recommends "${packages[@]}" \
        && apt-get clean \
        && rm -rf /var/lib/apt/lists/*; \
    fi

USER astro
RUN python -m pip install --no-cache-dir --requirement requirements.txt --constraint constraints.txt

COPY --chown=astro:0 . .

ENV DO_NOT_TRACK=1 \
    SCARF_NO_ANALYTICS=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    AIRFLOW__COSMOS__ENABLE_TELEMETRY=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL=error \
    SUPPORT_MANIFEST_DIR=/usr/local/airflow/artifacts/local

# What Cosmos renders from and what dbt parsed, for each target that can run in this image. Not in include/, which
# `astro dev start` covers with the folder on the developer's machine. A Deployment with SUPPORT_TARGET=prod sets
# SUPPORT_MANIFEST_DIR=/usr/local/airflow/artifacts/prod.
RUN for target in local dev prod; do \
        SUPPORT_TARGET="${target}" SUPPORT_MANIFEST_DIR="artifacts/${target}" \
            python -m include.orchestration.manifest build \
        && mv .data/dbt/target/partial_parse.msgpack "artifacts/${target}/" \
        || exit 1; \
    done; \
    rm -r .data/dbt
