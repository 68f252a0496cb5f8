{#-
    The rules a Silver table was built by, as one checksum: the model's own text, the text of every macro of this
    project that it or its hooks reach, and what its source declares. It is kept with the batches built by it. A list of
    cast failures follows the texts of the models whose columns it lists, and their macros.

    They are asked for many times while a model is built, so the answer is kept with the node.
-#}
{% macro silver_rules() -%}
    {%- if 'silver_rules' not in model -%}
        {%- do model.update({'silver_rules': checksum_of_rules()}) -%}
    {%- endif -%}
    {{ return(model.silver_rules) }}
{%- endmacro %}

{% macro checksum_of_rules() -%}
    {%- set texts = [model.raw_code, tojson(stream_of_model().meta, sort_keys=true)] -%}
    {%- set reached = [] -%}
    {%- set waiting = model.depends_on.macros | list -%}
    {%- if keeps_failures() -%}
        {%- for stream in modelled_streams(model.sources[0][0]) -%}
            {%- do texts.append(stream.model.raw_code) -%}
            {%- do waiting.extend(stream.model.depends_on.macros) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for _ in range(10000) if waiting -%}
        {%- set name = waiting.pop() -%}
        {%- if name not in reached and name.startswith('macro.' ~ project_name ~ '.') -%}
            {%- do reached.append(name) -%}
            {%- do waiting.extend(context[name.split('.')[-1]].macro.depends_on.macros) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in reached | sort -%}
        {%- do texts.append(context[name.split('.')[-1]].macro.macro_sql) -%}
    {%- endfor -%}
    {{ return(local_md5(texts | join('\n'))) }}
{%- endmacro %}


{#-
    dbt asks this whether a model is to be built anew. A Silver table that was built by other rules than today's is, so
    that a changed column or macro reaches the rows that no new batch would ever touch. Where a model's own config says
    whether, that counts: a table that may never be rebuilt takes new columns, for the rows that change.
-#}
{% macro should_full_refresh() -%}
    {%- if config.get('full_refresh') is not none -%}
        {{ return(config.get('full_refresh')) }}
    {%- endif -%}
    {%- set asked = flags.FULL_REFRESH -%}
    {%- if not asked and execute and model.resource_type == 'model' and 'silver' in model.tags -%}
        {%- if 'is_built_by_current_rules' not in model -%}
            {%- do model.update({'is_built_by_current_rules': is_built_by_current_rules()}) -%}
        {%- endif -%}
        {%- set asked = not model.is_built_by_current_rules -%}
    {%- endif -%}
    {{ return(asked) }}
{%- endmacro %}

{% macro is_built_by_current_rules() -%}
    {%- set held -%}
        select distinct RULES from {{ bookkeeping('APPLIED_BATCHES') }} where MODEL = '{{ model.name }}'
    {%- endset -%}
    {{ return(run_query(held).columns[0].values() | list == [silver_rules()]) }}
{%- endmacro %}
