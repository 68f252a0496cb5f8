{#- What the vendors call states and priorities, in the words of our one list. -#}

{#- A state of Pylon's: a standard one is itself, one of the workspace's own counts as its category. -#}
{% macro pylon_state(state, category) -%}
    case
        when {{ state }} in ('new', 'waiting_on_you', 'waiting_on_customer', 'on_hold', 'closed') then {{ state }}
        when {{ state }} is not null then coalesce({{ category }}, 'custom')
    end
{%- endmacro %}


{#- A status of Plain's with the kind of its detail. -#}
{% macro plain_state(status, detail_kind) -%}
    case
        when {{ status }} = 'DONE' then 'closed'
        when {{ status }} = 'SNOOZED' and {{ detail_kind }} like '%WaitingForCustomer' then 'waiting_on_customer'
        when {{ status }} = 'SNOOZED' then 'on_hold'
        when {{ status }} = 'TODO' and {{ detail_kind }} like '%Created' then 'new'
        when {{ status }} = 'TODO' then 'waiting_on_you'
        when {{ status }} is not null then 'custom'
    end
{%- endmacro %}


{#- A priority of Plain's, which is a number. -#}
{% macro plain_priority(priority) -%}
    case {{ priority }} when 0 then 'urgent' when 1 then 'high' when 2 then 'medium' when 3 then 'low' end
{%- endmacro %}
