with batches as (

    select * from {{ bronze('def_bronze', 'INGEST_BATCHES') }}

),

final as (

    select
        -- ids
        STREAM,
        BATCH_ID,
        ATTEMPT,
        LOAD_ID,
        PIPELINE_RUN_ID,

        -- strings
        LOAD_STRATEGY,
        CHECKSUM,

        -- timestamps
        cast(WINDOW_START as {{ timestamp_type() }}) as WINDOW_START,
        cast(WINDOW_END as {{ timestamp_type() }}) as WINDOW_END,
        cast(EXTRACTED_FROM as {{ timestamp_type() }}) as EXTRACTED_FROM,
        cast(EXTRACTED_TO as {{ timestamp_type() }}) as EXTRACTED_TO,
        cast(LOADED_AT as {{ timestamp_type() }}) as LOADED_AT,

        -- measures
        ROW_COUNT,

        -- record
        STREAM || '|' || BATCH_ID as RECORD_KEY
    from batches

)

select * from final
