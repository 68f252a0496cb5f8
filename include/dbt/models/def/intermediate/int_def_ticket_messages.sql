{#-
    Every message and note of either system in one shape: who wrote it, when, and whether customers can see it. What was
    taken back later was said all the same, so it is here with is_deleted. Not here: what Plain shows of a thread that was
    merged into another, because those messages are in the timeline of their own thread too.

    author_kind
    customer   who asks
    human      a person of the team
    bot        a machine of the team: Pylon names an author who is neither user nor contact, Plain a machine user
    system     nobody in particular
-#}
with messages as (

    select * from {{ ref('def_pylon_messages') }}

),

entries as (

    select * from {{ ref('def_plain_timeline_entries') }}

),

pylon as (

    select
        cast('pylon' as varchar) as support_system,
        cast(issue_id as varchar) as ticket_id,
        cast(id as varchar) as message_id,
        cast(coalesce(author_user_id, author_contact_id) as varchar) as author_id,
        cast(case
            when author_user_id is not null then 'human'
            when author_contact_id is not null then 'customer'
            when author_name is not null then 'bot'
            else 'system'
        end as varchar) as author_kind,
        cast(not coalesce(is_private, false) as boolean) as is_public,
        cast(is_deleted as boolean) as is_deleted,
        cast(sent_at as {{ timestamp_type() }}) as sent_at,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from messages

),

plain as (

    select
        cast('plain' as varchar) as support_system,
        cast(thread_id as varchar) as ticket_id,
        cast(id as varchar) as message_id,
        cast(actor_id as varchar) as author_id,
        cast(case
            when actor_kind = 'UserActor' then 'human'
            when actor_kind in ('CustomerActor', 'DeletedCustomerActor') then 'customer'
            when actor_kind = 'MachineUserActor' then 'bot'
            else 'system'
        end as varchar) as author_kind,
        cast(entry_kind <> 'NoteEntry' as boolean) as is_public,
        cast(is_deleted as boolean) as is_deleted,
        cast(occurred_at as {{ timestamp_type() }}) as sent_at,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from entries
    where
        entry_kind in (
            'ChatEntry',
            'CustomEntry',
            'DiscordMessageEntry',
            'EmailEntry',
            'HelpCenterAiConversationMessageEntry',
            'MSTeamsMessageEntry',
            'NoteEntry',
            'SlackMessageEntry',
            'SlackReplyEntry'
        )

),

unioned as (

    select * from pylon
    union all
    select * from plain

),

final as (

    select
        cast({{ surrogate_key(['support_system', 'ticket_id']) }} as varchar) as ticket_key,
        unioned.*
    from unioned

)

select * from final
