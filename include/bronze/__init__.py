"""Bronze: plan, extract and load. Knows neither Airflow nor dbt and runs from a plain Python shell."""
