{#-
    Every message of either system, and every other entry of a Plain timeline, in one shape, with whether it counts.

    Why a row does not count, the first rule that applies:
    not_a_message      an entry of a timeline that says what happened, not what was said
    ticket_…           its ticket does not count, by the rule that follows
    ticket_unknown     its ticket was never delivered
    deleted            it was removed from its ticket, as far as anybody looked
-#}
with tickets as (

    select
        ticket_key,
        support_system,
        ticket_id,
        channel,
        exclusion_rule
    from {{ ref('int_def_tickets_unioned') }}

),

pylon_messages as (

    select * from {{ ref('def_pylon_messages') }}

),

timeline_entries as (

    select * from {{ ref('def_plain_timeline_entries') }}

),

pylon as (

    select
        cast('pylon' as varchar) as support_system,
        cast(id as varchar) as message_id,
        cast(issue_id as varchar) as ticket_id,
        cast(coalesce(author_user_id, author_contact_id) as varchar) as author_id,
        cast(case
            when author_user_id is not null then 'agent'
            when author_contact_id is not null then 'customer'
            when author_name is not null then 'bot'
            else 'system'
        end as varchar) as author_kind,
        cast('Message' as varchar) as message_kind,
        cast(true as boolean) as is_message,
        cast(coalesce(is_private, false) as boolean) as is_private,
        cast(is_deleted as boolean) as is_deleted,
        cast(sent_at as {{ timestamp_type() }}) as sent_at,
        cast(deleted_at as {{ timestamp_type() }}) as deleted_at,
        cast(date_to_warehouse as {{ timestamp_type() }}) as read_at,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from pylon_messages

),

-- Where a message was deleted in the customer's own tool, the entry stays and says so.
plain_deletions as (

    select
        timeline_entries.*,
        coalesce(
            {{ json_timestamp('entry', 'deletedOnSlackAt', 'iso8601') }},
            {{ json_timestamp('entry', 'deletedOnMsTeamsAt', 'iso8601') }},
            {{ json_timestamp('entry', 'deletedOnDiscordAt', 'iso8601') }}
        ) as deleted_elsewhere_at
    from timeline_entries

),

plain as (

    select
        cast('plain' as varchar) as support_system,
        cast(id as varchar) as message_id,
        cast(thread_id as varchar) as ticket_id,
        cast(actor_id as varchar) as author_id,
        cast(case
            when actor_kind = 'UserActor' then 'agent'
            when actor_kind in ('CustomerActor', 'DeletedCustomerActor') then 'customer'
            when actor_kind = 'MachineUserActor' then 'bot'
            else 'system'
        end as varchar) as author_kind,
        cast(entry_kind as varchar) as message_kind,
        cast(
            entry_kind in (
                'ChatEntry', 'SlackMessageEntry', 'SlackReplyEntry', 'MSTeamsMessageEntry', 'DiscordMessageEntry',
                'CustomEntry', 'MergedThreadMessageEntry', 'HelpCenterAiConversationMessageEntry', 'NoteEntry',
                'ThreadDiscussionMessageEntry'
            )
            or (entry_kind = 'EmailEntry' and coalesce(email_category, 'MESSAGING') = 'MESSAGING')
            as boolean
        ) as is_message,
        cast(entry_kind in ('NoteEntry', 'ThreadDiscussionMessageEntry') as boolean) as is_private,
        cast(is_deleted or deleted_elsewhere_at is not null as boolean) as is_deleted,
        cast(occurred_at as {{ timestamp_type() }}) as sent_at,
        cast(coalesce(deleted_elsewhere_at, deleted_at) as {{ timestamp_type() }}) as deleted_at,
        cast(date_to_warehouse as {{ timestamp_type() }}) as read_at,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from plain_deletions

),

unioned as (

    select * from pylon
    union all
    select * from plain

),

ruled as (

    select
        unioned.*,
        tickets.channel,
        cast(case
            when not unioned.is_message then 'not_a_message'
            when tickets.ticket_key is null then 'ticket_unknown'
            when tickets.exclusion_rule is not null then 'ticket_' || tickets.exclusion_rule
            when unioned.is_deleted then 'deleted'
        end as varchar) as exclusion_rule
    from unioned
    left join tickets
        on
            unioned.support_system = tickets.support_system
            and unioned.ticket_id = tickets.ticket_id

),

final as (

    select
        cast({{ surrogate_key(['support_system', 'message_id']) }} as varchar) as message_key,
        cast({{ surrogate_key(['support_system', 'ticket_id']) }} as varchar) as ticket_key,
        ruled.*,
        cast(exclusion_rule is null as boolean) as is_counted
    from ruled

)

select * from final
