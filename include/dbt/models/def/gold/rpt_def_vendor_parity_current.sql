{{ vendor_parity_current('def') }}
