{#- agent filter: none. Volume counts every ticket, unassigned ones too. -#}
{{ ticket_category_channel_daily('def') }}
