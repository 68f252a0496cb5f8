select id, upper(letter) as letter from {{ ref('first') }} where {{ unless_told_to_fail('right_side') }}
