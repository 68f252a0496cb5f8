with deleted_threads as (

    {{ event_rows('def_bronze', 'PLAIN_DELETED_THREADS') }}

),

final as (

    select
        -- ids
        {{ text('THREAD_ID') }} as THREAD_ID,

        -- timestamps
        {{ json_timestamp('DELETED_AT', 'iso8601') }} as DELETED_AT,

        -- record
        {{ history_columns() }}
    from deleted_threads

)

select * from final
