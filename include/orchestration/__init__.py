"""What the DAGs are wired from: Bronze steps as task functions, the dbt project as tasks, fast-forward."""
