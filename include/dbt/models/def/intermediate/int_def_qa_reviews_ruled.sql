{#-
    Every quality review with whether it is of our own people: reviewers rate partners too, and only the mail domain tells.
    The domains that are ours are those on the roster.
-#}
with reviews as (

    select * from {{ ref('def_qa_reviews') }}

),

employees as (

    select * from {{ ref('dim_employee_def') }}

),

channel_map as (

    select * from {{ ref('core_channel_map') }}

),

our_domains as (

    select distinct {{ mail_domain('email') }} as domain
    from employees

),

final as (

    select
        reviews.*,
        lower(trim(reviews.agent_email)) as agent_email_key,
        case
            when reviews.channel is null then 'unknown'
            else coalesce(channel_map.channel, 'other')
        end as channel_formatted,
        cast(case
            when reviews.is_deleted then 'deleted'
            when our_domains.domain is null then 'not_our_agent'
        end as varchar) as exclusion_rule
    from reviews
    left join our_domains
        on {{ mail_domain('reviews.agent_email') }} = our_domains.domain
    left join channel_map
        on
            reviews.support_system = channel_map.support_system
            and lower(trim(reviews.channel)) = channel_map.source_channel

)

select * from final
