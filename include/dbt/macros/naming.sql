{#- A model's schema is exactly the one its folder names. Only on dev, and only when a developer has a prefix, is it
    the developer's own: ANA_SILVER instead of SILVER. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {%- set prefix = env_var('SUPPORT_DEV_PREFIX', '') -%}
    {%- if target.name == 'dev' and prefix -%}
        {{ (prefix ~ '_' ~ schema) | upper }}
    {%- else -%}
        {{ schema }}
    {%- endif -%}
{%- endmacro %}


{#- A model's database is the one its client's folder computes from the target's name in dbt_project.yml. -#}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if custom_database_name == 'invalid_environment' -%}
        {{ exceptions.raise_compiler_error(
            "invalid_environment: no database belongs to target '" ~ target.name
            ~ "'; use one of local, ci, cicd, dev, prod"
        ) }}
    {%- endif -%}
    {{ (custom_database_name or target.database) | trim }}
{%- endmacro %}


{#- Every statement says who sent it, so a query in the warehouse's history leads back to a node and a run. -#}
{% macro query_comment(node) -%}
    {%- set facts = {
        'app': 'dbt',
        'project': project_name,
        'target': target.name,
        'node_id': node.unique_id if node else none,
        'invocation_id': invocation_id,
    } -%}
    {{ tojson(facts) }}
{%- endmacro %}
