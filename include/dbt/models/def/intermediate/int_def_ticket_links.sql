{#-
    Which Pylon issue goes on with which Plain thread, and by what that is known. Evidence, strongest first: an external
    issue whose id is a thread's; one whose link leads to a thread; a marker in the body; an external issue of Plain that
    gives a thread's ref.

    A link is applied, so that the thread is counted under the issue, only if Plain knows the thread and the issue still
    exists. A thread that several issues name goes to the one with the strongest evidence, then to the oldest.
-#}
with issues as (

    select * from {{ ref('def_pylon_issues') }}

),

threads as (

    select * from {{ ref('def_plain_threads') }}

),

external_issues as (

    select
        issues.id as issue_id,
        entry.index as external_issue_index,
        {{ element_text('entry', 'source') }} as source,
        {{ element_text('entry', 'external_id') }} as external_id,
        {{ element_text('entry', 'link') }} as link
    from issues
    {{ json_elements('issues.external_issues', 'entry') }}

),

named as (

    select
        issue_id,
        external_id as thread_id,
        'external_id' as evidence,
        1 as evidence_rank,
        external_issue_index
    from external_issues
    where left(external_id, 3) = 'th_'
    union all
    select
        issue_id,
        {{ matched('link', 'th_[0-9A-Za-z]+') }} as thread_id,
        'link' as evidence,
        2 as evidence_rank,
        external_issue_index
    from external_issues
    union all
    select
        id as issue_id,
        {{ matched(matched('body_html', 'external-th_[0-9A-Za-z]+'), 'th_[0-9A-Za-z]+') }} as thread_id,
        'marker' as evidence,
        3 as evidence_rank,
        cast(null as bigint) as external_issue_index
    from issues
    union all
    select
        external_issues.issue_id,
        threads.id as thread_id,
        'ref' as evidence,
        4 as evidence_rank,
        external_issues.external_issue_index
    from external_issues
    inner join threads
        on external_issues.external_id = threads.ref
    where external_issues.source = 'plain'

),

strongest as (

    select *
    from named
    where thread_id is not null
    qualify
        row_number() over (
            partition by issue_id, thread_id
            order by evidence_rank, external_issue_index
        ) = 1

),

known as (

    select
        strongest.*,
        issues.created_at as issue_created_at,
        threads.created_at as thread_created_at,
        threads.id is not null as is_thread_known,
        threads.id is not null and not issues.is_deleted as can_be_applied
    from strongest
    inner join issues
        on strongest.issue_id = issues.id
    left join threads
        on strongest.thread_id = threads.id

),

final as (

    select
        issue_id,
        thread_id,
        evidence,
        external_issue_index,
        issue_created_at,
        thread_created_at,
        is_thread_known,
        can_be_applied and row_number() over (
            partition by thread_id, can_be_applied
            order by evidence_rank, issue_created_at, issue_id
        ) = 1 as is_applied
    from known

)

select * from final
