{#-
    What has been applied to which Silver model, and how a model's next increment is found.

    APPLIED_BATCHES  model x batch: the load of the batch that the model holds, and the rules it was built by.
    APPLIED_KEYS     model x batch x key: the keys delivered by the load that the model holds. When a batch is loaded
                     again with fewer records, this is what still knows the keys it used to hold.

    Both are written for one model by that model's own hooks, and read by nobody else's.
-#}

{#- Made once, before any thread starts: two threads creating one table would be a conflict. -#}
{% macro create_silver_bookkeeping() -%}
    {%- set made = [] -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and 'silver' in node.tags and node.unique_id in selected_resources -%}
            {%- set batches = bookkeeping('APPLIED_BATCHES', node) -%}
            {%- if batches | string not in made -%}
                {%- do made.append(batches | string) -%}
                {%- do run_query("create schema if not exists " ~ batches.without_identifier()) -%}
                {%- do run_query(create_applied_batches(batches)) -%}
                {%- do run_query(create_applied_keys(bookkeeping('APPLIED_KEYS', node))) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro create_applied_batches(relation) -%}
    create table if not exists {{ relation }} (
        MODEL varchar, BATCH_ID varchar, LOAD_ID varchar, RULES varchar,
        APPLIED_AT {{ timestamp_type() }}, INVOCATION_ID varchar
    )
{%- endmacro %}

{% macro create_applied_keys(relation) -%}
    create table if not exists {{ relation }} (MODEL varchar, BATCH_ID varchar, RECORD_KEY varchar)
{%- endmacro %}


{#-
    Before the model, 1: the batches whose load is not the one this model holds, as of now. LOAD_ID is NULL for a batch
    that has left the ledger, HELD_LOAD_ID for one that is new. Only these are marked afterwards, so a load that comes
    in while the model builds is found by the next run. A full refresh reads everything, so it marks everything.
-#}
{% macro note_pending_batches() -%}
    {%- set stream = stream_of_model() -%}
    {%- if stream -%}
    create or replace temporary table {{ scratch('pending') }} as
    select
        coalesce(ledger.BATCH_ID, held.BATCH_ID) as BATCH_ID,
        ledger.LOAD_ID,
        held.LOAD_ID as HELD_LOAD_ID
    from (
        select BATCH_ID, LOAD_ID
        from {{ stream.batches }}
        {% if not keeps_failures() -%}
        where
            STREAM = '{{ stream.name }}'
            or BATCH_ID in (select BATCH_ID from {{ stream.coverage }} where STREAM = '{{ stream.name }}')
        {%- endif %}
    ) as ledger
    full outer join (
        select BATCH_ID, LOAD_ID
        from {{ bookkeeping('APPLIED_BATCHES') }}
        where MODEL = '{{ model.name }}'
    ) as held
        on held.BATCH_ID = ledger.BATCH_ID
    {% if is_incremental() -%}
    where ledger.LOAD_ID is distinct from held.LOAD_ID
    {%- endif %}
    {%- endif -%}
{%- endmacro %}


{#-
    Before the model, 2: from here on nobody knows which load of those batches the model holds. If the run dies between
    the merge and the last hook, the next one finds them so, whatever has become of the batches meanwhile. A rebuild
    that dies is begun again, because its rules are not known either.
-#}
{% macro announce_pending_batches() -%}
    {%- if execute -%}
    {%- set rules = silver_rules() if is_incremental() else 'unknown' -%}
    merge into {{ bookkeeping('APPLIED_BATCHES') }} as held
        using {{ scratch('pending') }} as pending
        on held.MODEL = '{{ model.name }}' and held.BATCH_ID = pending.BATCH_ID
    when matched then update set LOAD_ID = 'unknown', RULES = '{{ rules }}'
    when not matched then
        insert (MODEL, BATCH_ID, LOAD_ID, RULES, APPLIED_AT, INVOCATION_ID)
        values ('{{ model.name }}', pending.BATCH_ID, 'unknown', '{{ rules }}', {{ now_utc() }}, '{{ invocation_id }}')
    {%- endif -%}
{%- endmacro %}


{#-
    Before the model, 3: the keys those batches deliver, beside those they did: both are to be looked at. A batch is
    announced before its keys are kept, so that there are no keys of a batch nobody knows.
-#}
{% macro remember_delivered_keys() -%}
    {%- set stream = stream_of_model() -%}
    {%- if stream and not keeps_failures() -%}
    insert into {{ bookkeeping('APPLIED_KEYS') }} (MODEL, BATCH_ID, RECORD_KEY)
    select distinct '{{ model.name }}', delivered.BATCH_ID, delivered.RECORD_KEY
    from {{ stream.bronze }} as delivered
    where
        delivered.BATCH_ID in (select BATCH_ID from {{ scratch('pending') }} where LOAD_ID is not null)
        and not exists (
            select 1
            from {{ bookkeeping('APPLIED_KEYS') }} as known
            where
                known.MODEL = '{{ model.name }}'
                and known.BATCH_ID = delivered.BATCH_ID
                and known.RECORD_KEY = delivered.RECORD_KEY
        )
    {%- endif -%}
{%- endmacro %}


{#-
    Before the model, 4: every key whose Silver row may differ from what a full refresh would build. What belongs to no
    key but to its batch leaves with it, and is found again if it is still there.
-#}
{% macro find_touched_keys() -%}
    {%- set stream = stream_of_model() -%}
    {%- if stream and keeps_failures() -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where BATCH_ID in (select BATCH_ID from {{ scratch('pending') }})
    {%- endif -%}
    {%- elif stream -%}
    {%- set pending = "(select BATCH_ID from " ~ scratch('pending') ~ ")" -%}
    {%- set looked -%}
        select SCOPE from {{ stream.coverage }} where STREAM = '{{ stream.name }}' and BATCH_ID in {{ pending }}
    {%- endset -%}
    create or replace temporary table {{ scratch('touched') }} as
    -- keys a changed batch delivers, or once did
    select RECORD_KEY
    from {{ bookkeeping('APPLIED_KEYS') }}
    where MODEL = '{{ model.name }}' and BATCH_ID in {{ pending }}
    {%- if is_incremental() and not keeps_history() %}
    union
    -- records whose row came from a changed batch
    select RECORD_KEY from {{ this }} where BATCH_ID in {{ pending }}
    union
    -- records somebody has now looked for
    select RECORD_KEY
    from {{ this }}
    where
        {%- if stream.meta.coverage == 'snapshot' %}
        exists ({{ looked }} and SCOPE = '*')
        or RECORD_KEY in ({{ looked }})
        {%- elif stream.meta.coverage == 'parent' %}
        PARENT_KEY in ({{ looked }})
        or RECORD_KEY in ({{ looked }})
        {%- else %}
        RECORD_KEY in ({{ looked }})
        {%- endif %}
    union
    -- deleted records whose evidence may have gone with a batch that was loaded again or has left the ledger
    select RECORD_KEY
    from {{ this }}
    where IS_DELETED and exists (select 1 from {{ scratch('pending') }} where HELD_LOAD_ID is not null)
    {%- endif %}
    {%- endif -%}
{%- endmacro %}


{#- After the model, 1: a key that Bronze no longer holds at all leaves; a merge alone would keep it for ever. -#}
{% macro forget_vanished_keys() -%}
    {%- set stream = stream_of_model() -%}
    {%- if stream and not keeps_failures() -%}
    delete from {{ this }}
    where
        {{ 'SOURCE_RECORD_KEY' if keeps_history() else 'RECORD_KEY' }} in (select RECORD_KEY from {{ scratch('touched') }})
        and RECORD_KEY not in (
            select {{ history_key() if keeps_history() else 'RECORD_KEY' }}
            from {{ stream.bronze }}
            where RECORD_KEY in (select RECORD_KEY from {{ scratch('touched') }})
        )
    {%- endif -%}
{%- endmacro %}


{#-
    After the model, 2: what a batch used to deliver and delivers no more has been looked at, and is forgotten. Of a batch
    that was loaded once more while the model was built nothing is: nobody knows which of its loads the model has read.
-#}
{% macro forget_former_keys() -%}
    {%- set stream = stream_of_model() -%}
    {%- if stream and not keeps_failures() -%}
    delete from {{ bookkeeping('APPLIED_KEYS') }}
    where
        MODEL = '{{ model.name }}'
        and BATCH_ID in (
            select pending.BATCH_ID
            from {{ scratch('pending') }} as pending
            left join {{ stream.batches }} as ledger
                on ledger.BATCH_ID = pending.BATCH_ID
            where ledger.LOAD_ID is not distinct from pending.LOAD_ID
        )
        and not exists (
            select 1
            from {{ stream.bronze }} as delivered
            where
                delivered.BATCH_ID = {{ bookkeeping('APPLIED_KEYS') }}.BATCH_ID
                and delivered.RECORD_KEY = {{ bookkeeping('APPLIED_KEYS') }}.RECORD_KEY
        )
    {%- endif -%}
{%- endmacro %}


{#-
    After the model, 3: the pending batches, and no others, are now what the model holds. One statement, so that no
    crash can leave a batch neither held nor pending. A batch that had left the ledger and has come back meanwhile stays
    unknown: the model may have read what it holds now.
-#}
{% macro mark_pending_batches() -%}
    {%- if execute -%}
    {%- set stream = stream_of_model() -%}
    merge into {{ bookkeeping('APPLIED_BATCHES') }} as held
        using (
            select
                noted.BATCH_ID,
                noted.LOAD_ID,
                ledger.BATCH_ID is null as HAS_LEFT
            from {{ scratch('pending') }} as noted
            left join {{ stream.batches }} as ledger
                on ledger.BATCH_ID = noted.BATCH_ID
        ) as pending
        on held.MODEL = '{{ model.name }}' and held.BATCH_ID = pending.BATCH_ID
    when matched and pending.LOAD_ID is null and pending.HAS_LEFT then delete
    when matched and pending.LOAD_ID is not null then update set
        LOAD_ID = pending.LOAD_ID,
        RULES = '{{ silver_rules() }}',
        APPLIED_AT = {{ now_utc() }},
        INVOCATION_ID = '{{ invocation_id }}'
    {%- endif -%}
{%- endmacro %}
