select count(*) as how_many from {{ ref('joined') }} having {{ unless_told_to_fail('last') }}
