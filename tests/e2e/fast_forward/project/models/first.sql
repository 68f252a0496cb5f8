select id, letter from {{ ref('letters') }} where {{ unless_told_to_fail('first') }}
