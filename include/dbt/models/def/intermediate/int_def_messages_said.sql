{#-
    Everything that was said in tickets that count. What was taken back was said all the same; what Plain shows of a thread
    merged into another is not said again.
-#}
with messages as (

    select * from {{ ref('int_def_messages_unioned') }}

),

final as (

    select
        ticket_key,
        message_id,
        author_id,
        author_kind,
        not is_private as is_public,
        is_deleted,
        sent_at,
        source_file,
        batch_id,
        pipeline_run_id
    from messages
    where
        (is_counted or exclusion_rule = 'deleted')
        and message_kind <> 'MergedThreadMessageEntry'

)

select * from final
