{#-
    Every survey either system ever sent or had answered, with whether the answer counts. Plain shows only the newest survey of
    a thread, so its answers are read off every version of the thread that was ever seen.

    An answer given in a Plain thread that goes on in Pylon, or that was merged, is an answer all the same: it counts for the
    ticket that the thread counts as.

    Why a row does not count, the first rule that applies:
    deleted            the answer is gone from its survey
    ticket_…           its ticket is gone or spam, by the rule that follows
    ticket_unknown     its ticket was never delivered
    not_answered       nobody answered yet
    excluded           somebody took it out of the score
    no_score           it holds no number
-#}
with tickets as (

    select
        ticket_key,
        support_system,
        ticket_id,
        channel,
        assignee_id,
        linked_issue_id,
        merged_into_id,
        exclusion_rule
    from {{ ref('int_def_tickets_unioned') }}

),

survey_responses as (

    select * from {{ ref('def_pylon_survey_responses') }}

),

thread_versions as (

    select * from {{ ref('def_plain_threads_versions') }}

),

scores as (

    select
        survey_responses.id as response_id,
        min({{ whole_number(element_text('entry', 'value')) }}) as score
    from survey_responses
    {{ json_elements('survey_responses.answers', 'entry') }}
    where {{ element_text('entry', 'question_type') }} = 'score'
    group by survey_responses.id

),

pylon as (

    select
        cast('pylon' as varchar) as support_system,
        cast(survey_responses.id as varchar) as response_id,
        cast(survey_responses.issue_id as varchar) as ticket_id,
        cast(survey_responses.is_deleted as boolean) as is_deleted,
        cast(survey_responses.submitted_at as {{ timestamp_type() }}) as answered_at,
        cast(survey_responses.excluded_at as {{ timestamp_type() }}) as excluded_at,
        cast(survey_responses.deleted_at as {{ timestamp_type() }}) as deleted_at,
        cast(scores.score as bigint) as score,
        cast(survey_responses.source_file as varchar) as source_file,
        cast(survey_responses.batch_id as varchar) as batch_id,
        cast(survey_responses.pipeline_run_id as varchar) as pipeline_run_id
    from survey_responses
    left join scores
        on survey_responses.id = scores.response_id

),

plain as (

    select
        cast('plain' as varchar) as support_system,
        cast({{ surrogate_key(['id', 'survey_responded_at']) }} as varchar) as response_id,
        cast(id as varchar) as ticket_id,
        cast(false as boolean) as is_deleted,
        cast(survey_responded_at as {{ timestamp_type() }}) as answered_at,
        cast(null as {{ timestamp_type() }}) as excluded_at,
        cast(null as {{ timestamp_type() }}) as deleted_at,
        cast(survey_rating as bigint) as score,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from thread_versions
    where survey_responded_at is not null
    qualify
        row_number() over (
            partition by id, survey_responded_at
            order by updated_at desc nulls last, date_to_warehouse desc, record_key desc
        ) = 1

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
        tickets.assignee_id,
        case tickets.exclusion_rule
            when 'linked_to_pylon' then linked.ticket_key
            when 'merged' then coalesce(linked_target.ticket_key, target.ticket_key)
            else tickets.ticket_key
        end as ticket_key,
        cast(case
            when unioned.is_deleted then 'deleted'
            when tickets.ticket_key is null then 'ticket_unknown'
            when tickets.exclusion_rule not in ('linked_to_pylon', 'merged')
                then 'ticket_' || tickets.exclusion_rule
            when unioned.answered_at is null then 'not_answered'
            when unioned.excluded_at is not null then 'excluded'
            when unioned.score is null then 'no_score'
        end as varchar) as exclusion_rule
    from unioned
    left join tickets
        on
            unioned.support_system = tickets.support_system
            and unioned.ticket_id = tickets.ticket_id
    left join tickets as linked
        on
            tickets.linked_issue_id = linked.ticket_id
            and linked.support_system = 'pylon'
    left join tickets as target
        on
            tickets.merged_into_id = target.ticket_id
            and tickets.support_system = target.support_system
    left join tickets as linked_target
        on
            target.linked_issue_id = linked_target.ticket_id
            and linked_target.support_system = 'pylon'

),

final as (

    select
        cast({{ surrogate_key(['support_system', 'response_id']) }} as varchar) as csat_key,
        ruled.*,
        cast(exclusion_rule is null as boolean) as is_counted
    from ruled

)

select * from final
