{# Whether a test has put a switch of this name into the folder of switches; `_in_build` works in a whole build only. #}
{% macro told_to_fail(name) -%}
    {%- set names = [name ~ '.fails'] + ([name ~ '.fails_in_build'] if invocation_args_dict.which == 'build' else []) -%}
    {%- for each in names -%}
        exists (select 1 from glob('{{ env_var("FF_SWITCHES") }}/{{ each }}')){{ ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro unless_told_to_fail(name) -%}
    case when {{ told_to_fail(name) }} then error('{{ name }} was told to fail') else true end
{%- endmacro %}
