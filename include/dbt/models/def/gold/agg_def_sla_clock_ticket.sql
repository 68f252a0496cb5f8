{#- agent filter: none. A clock runs whoever holds the ticket, and while nobody does. -#}
{{ sla_clock_ticket('def') }}
