{#-
    Whether the model that is built follows a stream, batch by batch. One over the loader's own books does not: the books are
    what batches are told by, and they are small, so it is made anew each time.
-#}
{% macro follows_a_stream() -%}
    {{ return(model.config.get('meta', {}).get('keeps') != 'ledger') }}
{%- endmacro %}
