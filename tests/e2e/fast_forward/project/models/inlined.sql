{{ config(materialized='ephemeral') }}
select id, letter from {{ ref('left_side') }}
