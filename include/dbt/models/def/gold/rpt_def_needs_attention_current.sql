{{ needs_attention_current('def') }}
