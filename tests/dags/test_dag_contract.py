"""Every file in dags/ keeps the contract, and every promise of the contract can be seen broken."""

from pathlib import Path

import pytest

from tests.dags.contract import CONTRACT, Facts, broken, parse

pytestmark = pytest.mark.integration

GOOD = '''
"""A DAG file as it should be."""

from datetime import datetime, timedelta

from airflow.sdk import dag, task

from include.orchestration.tags import Tag


@dag(
    dag_id="DAG_ID",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=[Tag.IMPACT_LOW, Tag.ON_DEMAND],
    default_args={"owner": "data", "retries": 1, "retry_delay": timedelta(seconds=5)},
    doc_md="Says hello.",
)
def planted():
    @task
    def hello():
        print("hello")

    @task(retries=2)
    def extract():
        print("hello again")

    hello() >> extract()


planted()
'''

# file → (what to replace in the good one, by what, the promise it then breaks, what is said)
TOP_LEVEL = "\n\n@dag("
BAD = {
    "no_import.py": ("import datetime,", "import no_such_thing,", "has_no_import_error", "no_such_thing"),
    "unseen.py": (GOOD, "from cosmos import DbtTaskGroup\n", "is_seen_by_airflow", "is skipped by safe-mode discovery"),
    "no_dag.py": ("\nplanted()\n", "", "is_seen_by_airflow", "defines no DAG"),
    "dbt_nightly.py": ("", "", "is_not_taken_for_a_dbt_plugin", "is called dbt_*"),
    "socket_io.py": (
        TOP_LEVEL,
        '\nimport socket\nsocket.socket().connect(("127.0.0.1", 9))' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "opens a network connection",
    ),
    "dns_io.py": (
        TOP_LEVEL,
        '\nimport urllib.request\nurllib.request.urlopen("http://example.invalid")' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "looks a host name up",
    ),
    "swallowed_io.py": (
        TOP_LEVEL,
        "\nimport contextlib, socket\nwith contextlib.suppress(OSError):\n    socket.getaddrinfo('x', 1)" + TOP_LEVEL,
        "does_no_io_while_parsed",
        "looks a host name up",
    ),
    "process_io.py": (
        TOP_LEVEL,
        '\nimport subprocess\nsubprocess.run(["true"])' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "starts a process",
    ),
    "write_io.py": (
        TOP_LEVEL,
        '\nfrom pathlib import Path\nPath("planted.txt").write_text("x")' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "opens a file for writing",
    ),
    "duckdb_io.py": (
        TOP_LEVEL,
        "\nimport duckdb\nduckdb.connect()" + TOP_LEVEL,
        "does_no_io_while_parsed",
        "opens a DuckDB file",
    ),
    "variable_io.py": (
        TOP_LEVEL,
        '\nfrom airflow.sdk import Variable\nVariable.get("x", default=None)' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "uses a Variable",
    ),
    "connection_io.py": (
        TOP_LEVEL,
        '\nfrom airflow.sdk import BaseHook\nBaseHook.get_connection("pylon_def")' + TOP_LEVEL,
        "does_no_io_while_parsed",
        "uses a Connection",
    ),
    "slow.py": (
        TOP_LEVEL,
        "\ncounted = 0\nwhile counted < 16_000_000: counted += 1" + TOP_LEVEL,
        "parses_within_budget",
        "the budget is 0.5 s",
    ),
    "varies.py": (
        '"Says hello."',
        "str(datetime.now())",
        "is_the_same_at_every_parse",
        "runtime-variable values in Dag construction",
    ),
    "no_schedule.py": ("    schedule=None,\n", "", "states_its_schedule", "without saying schedule="),
    "no_owner.py": ('"owner": "data", ', "", "has_an_owner", "has no owner of its own"),
    "own_tag.py": ("Tag.ON_DEMAND", '"my tag"', "is_tagged_from_the_list", "has the tag 'my tag'"),
    "no_impact.py": ("Tag.IMPACT_LOW, ", "", "is_tagged_from_the_list", "says no impact"),
    "no_doc.py": ('    doc_md="Says hello.",\n', "", "is_documented", "has no doc_md"),
    "no_retry.py": ('"retries": 1', '"retries": 0', "retries", "hello retries 0 times"),
    "one_retry.py": ("@task(retries=2)", "@task", "retries", "extract retries 1 times, expected 2"),
}


def planted_file(name: str, old: str = "", new: str = "") -> str:
    assert old in GOOD, f"{name} would be no different from the good file"
    return GOOD.replace(old, new, 1).replace("DAG_ID", f"planted_{Path(name).stem}")


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder = tmp_path_factory.mktemp("planted")
    (folder / "good.py").write_text(planted_file("good.py"))
    for name, (old, new, _, _) in BAD.items():
        (folder / name).write_text(planted_file(name, old, new))
    return parse(folder, tmp_path_factory.mktemp("planted_home"))


def test_every_file_in_dags_keeps_the_contract(real: Facts):
    assert broken(real) == {}


def test_the_contract_saw_the_dags_there_are(real: Facts):
    assert {dag["dag_id"] for file in real["files"] for dag in file["dags"]} >= {"core_reference", "def_support"}


def test_a_vendor_that_refuses_is_asked_once(real: Facts):
    """Every task that talks to one hands its failures to the policy that knows a refusal."""
    asking = {
        f"{dag['dag_id']}.{task['task_id']}": task["has_a_retry_policy"]
        for file in real["files"]
        for dag in file["dags"]
        for task in dag["tasks"]
        if task["task_id"] in ("plan", "look_up") or "extract" in task["task_id"]
    }
    assert {"def_support.plan", "def_sync_now.plan", "reconcile_deletes.look_up", "def_support.plain.extract"} <= set(
        asking
    )
    assert [task for task, has_a_policy in asking.items() if not has_a_policy] == []


def test_a_good_file_breaks_no_promise(planted: Facts):
    assert [
        problem for problems in broken(planted).values() for problem in problems if problem.startswith("good.py")
    ] == []


@pytest.mark.parametrize("name", BAD)
def test_a_planted_file_breaks_its_promise(planted: Facts, name: str):
    _, _, promise, said = BAD[name]
    problems = [problem for problem in broken(planted).get(promise, []) if problem.startswith(f"{name}: ")]
    assert any(said in problem for problem in problems), (problems, broken(planted))


def test_every_promise_has_a_planted_file():
    assert {promise.__name__ for promise in CONTRACT} == {promise for _, _, promise, _ in BAD.values()}
