{#-
    Which batches and API pages a number is made of: the tickets of a fact that a condition names, by the landed page of the
    vendor's reply each was read from. For example, of the tickets created on a day:

        lineage_of('fct_def_tickets', "created_date = date '2026-01-05'")

    A fact carries SOURCE_FILE, BATCH_ID and PIPELINE_RUN_ID of the row it was made from; that is all this reads.
-#}
{% macro lineage_of(model, condition='true') -%}
    select
        batch_id,
        pipeline_run_id,
        source_file,
        count(*) as rows_from_it
    from {{ ref(model) }}
    where {{ condition }}
    group by batch_id, pipeline_run_id, source_file
{%- endmacro %}
