select id from {{ ref('right_side') }} where {{ told_to_fail('right_side_is_good') }}
