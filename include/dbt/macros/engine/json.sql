{#- Values out of JSON that Bronze keeps as the reply's own text. Broken JSON gives NULL. -#}

{#-
    One member of an object as text, the path to it being the names that follow the column. Members are found by name,
    so a name may hold dots.
-#}
{% macro json_text(column) -%}
    {{ scalar(json_raw(column, varargs)) }}
{%- endmacro %}


{#- The same exactly as delivered, garbage and all. -#}
{% macro json_raw(column, path) -%}
    {{ return(adapter.dispatch('json_raw')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_raw(column, path) -%}
    json_extract_string(try_cast({{ column }} as json), '$."{{ path | join('"."') }}"')
{%- endmacro %}

{% macro snowflake__json_raw(column, path) -%}
    cast({{ 'get(' * path | length }}try_parse_json({{ column }})
        {%- for member in path %}, '{{ member }}'){% endfor %} as varchar)
{%- endmacro %}


{#- The first of several members of one object that holds a text; a list of names is a path. -#}
{% macro json_first(column) -%}
    coalesce(
        {%- for member in varargs %}
        {{ scalar(json_raw(column, [member] if member is string else member)) }} {%- if not loop.last %}, {% endif %}
        {%- endfor %}
    )
{%- endmacro %}


{#- Typed members: an instant, a whole number, an exact number, a boolean. -#}
{% macro json_timestamp(column) -%} {{ utc_timestamp(json_raw(column, varargs)) }} {%- endmacro %}
{% macro json_number(column) -%} {{ whole_number(json_raw(column, varargs)) }} {%- endmacro %}
{% macro json_boolean(column) -%} {{ boolean(json_raw(column, varargs)) }} {%- endmacro %}


{#- A value found in JSON; NULL where nothing, blanks or the empty-set sign are left. -#}
{% macro scalar(expression) -%}
    nullif(nullif(trim({{ expression }}), ''), '∅')
{%- endmacro %}


{#-
    One custom field as text, by its slug, in either shape the API has been seen to use: an object keyed by slug, or
    an array of {slug, value}. A multi-select leaves value empty and lists values; its first one is taken.
-#}
{% macro custom_field(column, slug) -%}
    {{ return(adapter.dispatch('custom_field')(column, slug)) }}
{%- endmacro %}

{% macro duckdb__custom_field(column, slug) -%}
    {%- set document = "try_cast(" ~ column ~ " as json)" -%}
    {%- set keyed = "json_extract(" ~ document ~ ", '$.\"" ~ slug ~ "\"')" -%}
    {%- set listed = "list_filter(json_extract(" ~ document ~ ", '$[*]'), lambda field: "
        ~ "json_extract_string(field, '$.slug') = '" ~ slug ~ "')[1]" -%}
    {%- set field = "coalesce(" ~ keyed ~ ", " ~ listed ~ ")" -%}
    coalesce(
        {{ scalar("json_extract_string(" ~ field ~ ", '$.value')") }},
        {{ scalar("json_extract_string(" ~ field ~ ", '$.values[0]')") }}
    )
{%- endmacro %}

{% macro snowflake__custom_field(column, slug) -%}
    {%- set document = "try_parse_json(" ~ column ~ ")" -%}
    {%- set keyed = "get(" ~ document ~ ", '" ~ slug ~ "')" -%}
    {%- set listed = "get(filter(as_array(" ~ document ~ "), field -> cast(get(field, 'slug') as varchar) = '" ~ slug
        ~ "'), 0)" -%}
    {%- set field = "coalesce(" ~ keyed ~ ", " ~ listed ~ ")" -%}
    coalesce(
        {{ scalar("cast(get(" ~ field ~ ", 'value') as varchar)") }},
        {{ scalar("cast(get(get(" ~ field ~ ", 'values'), 0) as varchar)") }}
    )
{%- endmacro %}


{#- One field of a list of {key, stringValue, booleanValue, numberValue, dateValue} as text, by its key. -#}
{% macro thread_field(column, key) -%}
    {{ return(adapter.dispatch('thread_field')(column, key)) }}
{%- endmacro %}

{% macro duckdb__thread_field(column, key) -%}
    {%- set field = "list_filter(json_extract(try_cast(" ~ column ~ " as json), '$[*]'), lambda field: "
        ~ "json_extract_string(field, '$.key') = '" ~ key ~ "')[1]" -%}
    coalesce(
        {%- for path in ['stringValue', 'booleanValue', 'numberValue', 'dateValue.iso8601'] %}
        {{ scalar("json_extract_string(" ~ field ~ ", '$." ~ path ~ "')") }} {%- if not loop.last %},{% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{% macro snowflake__thread_field(column, key) -%}
    {%- set field = "get(filter(as_array(try_parse_json(" ~ column ~ ")), field -> cast(get(field, 'key') as varchar) = '"
        ~ key ~ "'), 0)" -%}
    coalesce(
        {%- for member in ['stringValue', 'booleanValue', 'numberValue'] %}
        {{ scalar("cast(get(" ~ field ~ ", '" ~ member ~ "') as varchar)") }},
        {%- endfor %}
        {{ scalar("cast(get(get(" ~ field ~ ", 'dateValue'), 'iso8601') as varchar)") }}
    )
{%- endmacro %}


{#- A JSON array as an array of texts; NULL where there is none. -#}
{% macro text_array(column) -%}
    {{ return(adapter.dispatch('text_array')(column)) }}
{%- endmacro %}

{% macro duckdb__text_array(column) -%}
    try_cast(try_cast({{ column }} as json) as varchar[])
{%- endmacro %}

{% macro snowflake__text_array(column) -%}
    as_array(try_parse_json({{ column }}))
{%- endmacro %}


{#- How many elements such an array has; none where there is no array. -#}
{% macro array_length(expression) -%}
    {{ return(adapter.dispatch('array_length')(expression)) }}
{%- endmacro %}

{% macro duckdb__array_length(expression) -%}
    coalesce(len({{ expression }}), 0)
{%- endmacro %}

{% macro snowflake__array_length(expression) -%}
    coalesce(array_size({{ expression }}), 0)
{%- endmacro %}


{#- JSON that is kept as it came, as text, where the text is JSON at all. -#}
{% macro json_document(column) -%}
    {{ return(adapter.dispatch('json_document')(column)) }}
{%- endmacro %}

{% macro duckdb__json_document(column) -%}
    case when json_valid({{ column }}) then {{ column }} end
{%- endmacro %}

{% macro snowflake__json_document(column) -%}
    case when try_parse_json({{ column }}) is not null then {{ column }} end
{%- endmacro %}


{#-
    A join to the elements of a JSON array, one row each, under an alias with two columns: VALUE, to be read with
    element_text, and INDEX, from 0. The path to the array is the names that follow. A row without elements drops out.
-#}
{% macro json_elements(column, alias) -%}
    {{ return(adapter.dispatch('json_elements')(column, alias, varargs)) }}
{%- endmacro %}

{% macro duckdb__json_elements(column, alias, path) -%}
    cross join lateral (
        select
            unnest(elements) as value,
            unnest(range(len(elements))) as index
        from (
            select json_extract(try_cast({{ column }} as json), '${% for name in path %}."{{ name }}"{% endfor %}[*]') as elements
        ) as found
    ) as {{ alias }}
{%- endmacro %}

{% macro snowflake__json_elements(column, alias, path) -%}
    cross join lateral flatten(
        input => as_array({{ 'get(' * path | length }}try_parse_json({{ column }})
        {%- for name in path %}, '{{ name }}'){% endfor %})
    ) as {{ alias }}
{%- endmacro %}


{#- One member of such an element as text, the path to it being the names that follow the alias. -#}
{% macro element_text(alias) -%}
    {{ scalar(adapter.dispatch('element_raw')(alias, varargs)) }}
{%- endmacro %}

{% macro duckdb__element_raw(alias, path) -%}
    json_extract_string({{ alias }}.value, '$."{{ path | join('"."') }}"')
{%- endmacro %}

{% macro snowflake__element_raw(alias, path) -%}
    cast({{ 'get(' * path | length }}{{ alias }}.value
        {%- for name in path %}, '{{ name }}'){% endfor %} as varchar)
{%- endmacro %}


{#- A join to the elements of an array of texts, one row each: the text is array_value(alias). -#}
{% macro array_elements(expression, alias) -%}
    {{ return(adapter.dispatch('array_elements')(expression, alias)) }}
{%- endmacro %}

{% macro duckdb__array_elements(expression, alias) -%}
    cross join lateral (select unnest({{ expression }}) as value) as {{ alias }}
{%- endmacro %}

{% macro snowflake__array_elements(expression, alias) -%}
    cross join lateral flatten(input => {{ expression }}) as {{ alias }}
{%- endmacro %}

{% macro array_value(alias) -%}
    cast({{ alias }}.value as varchar)
{%- endmacro %}
