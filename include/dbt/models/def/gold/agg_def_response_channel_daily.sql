{#- agent filter: none. Customers are answered by whoever answers; agents have an aggregate of their own. -#}
{{ response_channel_daily('def') }}
