select l.id, l.letter || r.letter as letters from {{ ref('inlined') }} as l inner join {{ ref('right_side') }} as r on l.id = r.id
