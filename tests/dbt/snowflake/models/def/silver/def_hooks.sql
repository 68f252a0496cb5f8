{#- What the hooks of a Silver model send, as one text. -#}
{%- set rows = current_rows('def_bronze', 'PYLON_ACCOUNTS') -%}
{{ note_pending_batches() }}
;;
{{ announce_pending_batches() }}
;;
{{ remember_delivered_keys() }}
;;
{{ find_touched_keys() }}
;;
{{ forget_vanished_keys() }}
;;
{{ forget_former_keys() }}
;;
{{ mark_pending_batches() }}
;;
{{ create_applied_batches(bookkeeping('APPLIED_BATCHES')) }}
;;
{{ create_applied_keys(bookkeeping('APPLIED_KEYS')) }}
