-- The file is read at once, unless a test has made it a pipe: then this waits until someone writes into it.
select id from {{ ref('right_side') }}
where (select count(content) from read_text('{{ env_var("FF_SWITCHES") }}/waits')) = 1
