with failures as (

    {{ cast_failures('def_bronze') }}

),

final as (

    select
        -- strings
        STREAM,
        COLUMN_NAME,
        FAILURE,
        RAW_SAMPLE,

        -- timestamps
        {{ utc_timestamp('READ_AT') }} as DATE_TO_WAREHOUSE,

        -- record
        {{
            surrogate_key(['STREAM', 'COLUMN_NAME', 'SOURCE_RECORD_KEY', 'SOURCE_FILE', 'RAW_SAMPLE'])
        }} as RECORD_KEY,
        SOURCE_RECORD_KEY,
        SOURCE_FILE,
        BATCH_ID,
        PIPELINE_RUN_ID
    from failures

)

select * from final
