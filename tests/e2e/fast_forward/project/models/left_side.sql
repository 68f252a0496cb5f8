select id, letter from {{ ref('first') }} where {{ unless_told_to_fail('left_side') }}
