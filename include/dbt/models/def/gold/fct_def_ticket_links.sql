{#-
    Which Pylon issue goes on with which Plain thread, with the evidence.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a link has no agent)
    join_key: thread_id
-#}
with links as (

    select * from {{ ref('int_def_ticket_links') }}

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['issue_id', 'thread_id']) }} as varchar) as ticket_link_key,

        -- ids
        cast({{ surrogate_key(["'pylon'", 'issue_id']) }} as varchar) as ticket_key,
        cast(issue_id as varchar) as issue_id,
        cast(thread_id as varchar) as thread_id,

        -- strings
        cast(evidence as varchar) as evidence,

        -- booleans
        cast(is_thread_known as boolean) as is_thread_known,
        cast(is_applied as boolean) as is_applied,

        -- timestamps, UTC
        cast(issue_created_at as {{ timestamp_type() }}) as issue_created_at,
        cast(thread_created_at as {{ timestamp_type() }}) as thread_created_at,

        -- measures
        cast(external_issue_index as bigint) as external_issue_index,
        cast({{ seconds_between('thread_created_at', 'issue_created_at') }} as bigint) as seconds_between_creations
    from links

)

select * from final
