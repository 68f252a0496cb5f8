with attempts as (

    select * from {{ bronze('def_bronze', 'INGEST_ATTEMPTS') }}

),

final as (

    select
        -- ids
        STREAM,
        BATCH_ID,
        ATTEMPT,
        PIPELINE_RUN_ID,

        -- strings
        OUTCOME,
        ERROR,

        -- timestamps
        cast(STARTED_AT as {{ timestamp_type() }}) as STARTED_AT,
        cast(ENDED_AT as {{ timestamp_type() }}) as ENDED_AT,

        -- measures
        ROW_COUNT,
        PAGES,

        -- record
        STREAM || '|' || BATCH_ID || '|' || ATTEMPT as RECORD_KEY
    from attempts

)

select * from final
