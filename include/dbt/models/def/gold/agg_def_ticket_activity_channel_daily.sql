{#- agent filter: none. Volume counts every ticket, unassigned ones too; agents have aggregates of their own. -#}
{{ ticket_activity_channel_daily('def') }}
