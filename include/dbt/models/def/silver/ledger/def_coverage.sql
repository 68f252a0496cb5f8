with coverage as (

    select * from {{ bronze('def_bronze', 'INGEST_COVERAGE') }}

),

final as (

    select
        -- ids
        STREAM,
        BATCH_ID,
        SCOPE,

        -- strings
        OUTCOME,

        -- timestamps
        cast(OBSERVED_AT as {{ timestamp_type() }}) as OBSERVED_AT,

        -- measures
        ROW_COUNT,

        -- record
        STREAM || '|' || BATCH_ID || '|' || SCOPE as RECORD_KEY
    from coverage

)

select * from final
