{#-
    agent filter: none. An answer counts for the account whoever held the ticket; reports on agents filter by the column.
-#}
{{ csat_channel_daily('def') }}
