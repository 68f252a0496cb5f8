-- An aggregate takes no filter clause; use count_if or iff inside the aggregate. Topic: Aggregate functions
select
    region,
    count(*) filter (where status = 'refunded') as refunded_orders,
    sum(amount) filter (where status = 'paid') as paid_amount
from orders
group by region;

-- A query cannot start with from. Topic: Query syntax
from orders
select order_id, customer_id, amount
where amount > 100;

-- An index exists only for hybrid tables, and there is no unique index. Topic: CREATE INDEX
create unique index customers_email_idx on customers (email);

-- Pivot is a part of the from clause, not a statement with on/using. Topic: PIVOT
pivot monthly_sales
on sales_month
using sum(amount)
group by region;

-- Unpivot is a part of the from clause, with "for ... in (...)" in parentheses. Topic: UNPIVOT
unpivot quarterly_budget
on q1, q2, q3, q4
into name fiscal_quarter value budget;

-- There is no type with square brackets; an array is ARRAY or ARRAY(VARCHAR). Topic: Structured data types
select
    product_id,
    split(tag_list, ',')::varchar[] as tags
from products;

-- There is no STRUCT type; a structured object is OBJECT(name type, ...). Topic: Structured data types
select
    customer_id,
    cast(address_json as struct(street varchar, city varchar, zip varchar)) as address
from customers;

-- A lambda is written with an arrow, without the word lambda and a colon. Topic: FILTER, lambda functions
select
    article_id,
    filter(keywords, lambda k: length(k) > 2) as long_keywords
from articles;

-- There is no LIST_TRANSFORM; the function is TRANSFORM. Topic: All functions (alphabetical), TRANSFORM
select
    basket_id,
    list_transform(item_prices, p -> p * 1.2) as gross_prices
from baskets;

-- Two slashes begin a comment, so the parenthesis is never closed. Topic: Arithmetic operators, comments
select
    order_id,
    (amount_cents // 100) as amount_units
from orders;

-- There is no GENERATE_SERIES; use GENERATOR or ARRAY_GENERATE_RANGE. Topic: GENERATOR
select series.day::date as calendar_day
from generate_series(
    '2024-01-01'::timestamp,
    '2024-12-31'::timestamp,
    interval '1 day'
) as series(day);

-- There is no UNNEST in a select list; use lateral flatten. Topic: FLATTEN
select
    order_id,
    unnest(line_items) as line_item
from orders;

-- There is no UNNEST table function; use lateral flatten. Topic: FLATTEN
select p.product_id, u.tag
from products as p
cross join unnest(p.tags) as u(tag);

-- There is no READ_PARQUET; files are read from a stage. Topic: Query data in staged files
create or replace table raw_events as
select *
from read_parquet('s3://landing/events/*.parquet', hive_partitioning = true);

-- A quoted file name is no table; files are read from a stage with @. Topic: Query data in staged files
select customer_id, email
from 'exports/customers.csv'
where email is not null;

-- There is no DATE_DIFF; the function is DATEDIFF. Topic: DATEDIFF
select
    order_id,
    date_diff('day', ordered_at, shipped_at) as days_to_ship
from shipments;

-- DATEDIFF has three arguments, the unit first. Topic: DATEDIFF
select
    subscription_id,
    datediff(ended_at, started_at) as days_active
from subscriptions;

-- The unit comes first; a column in its place is no date or time part. Topic: DATEDIFF, Supported date and time parts
select
    ticket_id,
    datediff(closed_at, opened_at, hour) as hours_open
from tickets;

-- There is no STRFTIME; use TO_CHAR. Topic: Conversion functions, TO_CHAR
select
    strftime(created_at, '%Y-%m') as created_month,
    count(*) as signups
from users
group by 1
order by 1;

-- A delete gives no rows back; there is no RETURNING. Topic: DELETE
delete from staging_orders
where loaded_at < dateadd(day, -30, current_date)
returning order_id;

-- The value of an interval constant is a quoted string. Topic: Interval constants
select session_id
from sessions
where started_at >= current_timestamp - interval 7 day;

-- There is no DISTINCT ON; use qualify with row_number. Topic: SELECT, QUALIFY
select distinct on (customer_id)
    customer_id,
    order_id,
    ordered_at
from orders
order by customer_id, ordered_at desc;

-- Sampling is written "sample (10)" after the table. Topic: SAMPLE / TABLESAMPLE
select *
from page_views
using sample 10%;

-- An update sets one column at a time, not a list in parentheses. Topic: UPDATE
update customers
set (segment, segment_since) = ('gold', current_date)
where lifetime_value > 10000;

-- Columns are left out with exclude, not with except. Topic: SELECT
select * except (password_hash, reset_token)
from users;

-- After the star, exclude must come before replace. Topic: SELECT
select * replace (amount / 100 as amount) exclude (internal_note)
from payments;

-- There is no COLUMNS expression for a pattern of column names. Topic: SELECT
select
    store_id,
    sum(columns('revenue_.*'))
from store_days
group by store_id;

-- There is no STRUCT_PACK and no named argument with := ; use OBJECT_CONSTRUCT. Topic: OBJECT_CONSTRUCT
select
    customer_id,
    struct_pack(first := first_name, last := last_name) as full_name
from customers;

-- There is no map literal. Topic: MAP data type
select
    order_id,
    map {'gross': gross_amount, 'net': net_amount} as amounts
from orders;

-- JSON is not read with ->> but with a colon or brackets. Topic: Querying semi-structured data
select
    event_id,
    payload ->> '$.user.id' as user_id
from events;

-- There is no slice with a colon in brackets; use ARRAY_SLICE. Topic: ARRAY_SLICE
select
    playlist_id,
    track_ids[1:3] as first_tracks
from playlists;

-- The order inside ARRAY_AGG goes into within group. Topic: ARRAY_AGG
select
    customer_id,
    array_agg(order_id order by ordered_at desc) as order_history
from orders
group by customer_id;

-- The order inside LISTAGG goes into within group. Topic: LISTAGG
select
    team_id,
    listagg(member_name, ', ' order by member_name) as members
from team_members
group by team_id;

-- The tilde is no operator; use RLIKE or REGEXP_LIKE. Topic: RLIKE
select url
from page_views
where url ~ '^/blog/[0-9]{4}/';

-- There is no SIMILAR TO. Topic: String functions (regular expressions)
select sku
from products
where sku similar to '(AB|CD)-[0-9]+';

-- There is no WINDOW clause with named windows. Topic: Window function syntax and usage
select
    account_id,
    booked_on,
    sum(amount) over w as running_balance,
    avg(amount) over w as running_average
from bookings
window w as (partition by account_id order by booked_on);

-- A frame is ROWS or RANGE; there is no GROUPS. Topic: Window function syntax and usage
select
    sensor_id,
    avg(reading) over (
        partition by sensor_id
        order by measured_on
        groups between 2 preceding and current row
    ) as smoothed
from readings;

-- INTERSECT takes no ALL. Topic: Set operators
select product_id from warehouse_stock
intersect all
select product_id from shop_stock;

-- ROW_NUMBER needs an order in its window. Topic: ROW_NUMBER
select
    row_number() over () as row_id,
    email
from newsletter_signups;

-- A window with an order does not take DISTINCT in COUNT. Topic: COUNT
select
    visit_date,
    count(distinct visitor_id) over (order by visit_date) as visitors_to_date
from visits;

-- QUALIFY needs a window function in the select list or in its condition. Topic: QUALIFY
select customer_id, country, balance
from customers
qualify balance > 1000;

-- Decade is no supported date part. Topic: DATE_TRUNC, Supported date and time parts
select
    date_trunc('decade', release_date) as release_decade,
    count(*) as films
from films
group by 1;

-- ISODOW is no supported date part; it is dayofweekiso. Topic: EXTRACT, Supported date and time parts
select
    order_id,
    extract(isodow from ordered_at) as iso_weekday
from orders;

-- There is no AT TIME ZONE; use CONVERT_TIMEZONE. Topic: CONVERT_TIMEZONE
select
    login_id,
    logged_in_at at time zone 'Europe/Berlin' as logged_in_local
from logins;

-- TRY_CAST takes only strings, a path into a variant is none. Topic: TRY_CAST
select
    event_id,
    try_cast(payload:price as number(12, 2)) as price
from events;

-- IF NOT EXISTS for a column cannot be combined with a default. Topic: ALTER TABLE
alter table dim_customer add column if not exists loyalty_level varchar default 'none';

-- The fourth argument is a position (a number), not the flag g. Topic: REGEXP_REPLACE
select
    contact_id,
    regexp_replace(phone, '[^0-9]', '', 'g') as phone_digits
from contacts;

-- The array is the second argument; a string is no array. Topic: ARRAY_CONTAINS
select product_id
from products
where array_contains(split(tag_list, ','), 'organic');

-- REDUCE needs a start value as its second argument. Topic: REDUCE
select
    cart_id,
    reduce(item_prices, (acc, p) -> acc + p) as cart_total
from carts;

-- There is no ARG_MAX; the function is MAX_BY. Topic: MAX_BY
select
    device_id,
    arg_max(firmware_version, reported_at) as latest_firmware
from device_reports
group by device_id;

-- There is no QUANTILE_CONT; use PERCENTILE_CONT within group. Topic: PERCENTILE_CONT
select
    endpoint,
    quantile_cont(latency_ms, 0.95) as p95_latency
from api_requests
group by endpoint;

-- COALESCE needs at least two arguments. Topic: COALESCE
select
    lead_id,
    coalesce(source_name) as source_name
from leads;

-- Names are quoted with double quotes, not with backticks. Topic: Identifier requirements
select `order id`, `total amount`
from `sales`.`daily_orders`;

-- There is no operator with two equal signs. Topic: Comparison operators
select invoice_id
from invoices
where status == 'open' and amount_due > 0;

-- A flatten in a left join takes no on condition. Topic: JOIN, LATERAL
select o.order_id, item.value:sku::varchar as sku
from orders as o
left join lateral flatten(input => o.line_items) as item on true;

-- ASOF JOIN needs a match_condition for the inequality. Topic: ASOF JOIN
select t.trade_id, t.symbol, q.bid
from trades as t
asof join quotes as q
    on t.symbol = q.symbol and t.traded_at >= q.quoted_at;

-- There is no SEMI JOIN; use exists or in. Topic: JOIN
select c.customer_id, c.email
from customers as c
semi join orders as o on c.customer_id = o.customer_id;

-- A name that is reserved needs double quotes, also behind AS. Topic: Reserved and limited keywords
select
    step_id,
    step_position as order
from funnel_steps;

-- ROWS is reserved and cannot name a column unquoted. Topic: Reserved and limited keywords
create table load_statistics (
    loaded_at timestamp_ntz,
    source_name varchar,
    rows integer
);

-- A table is either replaced or created if missing, not both. Topic: CREATE TABLE
create or replace table if not exists dim_store (
    store_id integer not null,
    store_name varchar
);

-- A computed column is virtual; there is no STORED. Topic: CREATE TABLE, Virtual columns
create table order_lines (
    order_id integer,
    quantity integer,
    unit_price number(10, 2),
    line_total number(12, 2) generated always as (quantity * unit_price) stored
);

-- The precision of a number is at most 38. Topic: Numeric data types
create table ledger (
    entry_id bigint,
    amount decimal(40, 4)
);

-- A default can be changed only to a sequence. Topic: ALTER TABLE ... ALTER COLUMN
alter table customers alter column status set default 'active';

-- Rows that the source lacks have no clause of their own. Topic: MERGE
merge into dim_product as t
using stg_product as s
    on t.product_id = s.product_id
when matched then update set t.product_name = s.product_name
when not matched by source then delete;

-- There is no star in the actions; columns are named, or it is "all by name". Topic: MERGE
merge into dim_customer as t
using stg_customer as s
    on t.customer_id = s.customer_id
when matched then update set *
when not matched then insert *;

-- There is no ON CONFLICT; use merge. Topic: INSERT
insert into exchange_rates (currency, rate_date, rate)
values ('EUR', '2024-05-01', 1.07)
on conflict (currency, rate_date) do update set rate = excluded.rate;

-- The CTE goes behind the insert, not before it. Topic: INSERT, WITH
with new_rows as (
    select customer_id, email from stg_customers where is_new
)
insert into customers (customer_id, email)
select customer_id, email from new_rows;

-- A values clause takes no PARSE_JSON; use insert with select. Topic: INSERT, PARSE_JSON
insert into events (event_id, payload)
values (1, parse_json('{"kind": "click"}'));

-- MATCH_BY_COLUMN_NAME is not allowed together with a select. Topic: COPY INTO table, Transform data during a load
copy into raw_orders
from (
    select $1:order_id::number, $1:amount::number(12, 2)
    from @landing/orders/
)
file_format = (type = parquet)
match_by_column_name = case_insensitive;

-- A load is "copy into", from a stage, with file_format. Topic: COPY INTO table
copy raw_customers from 'customers.csv' (format csv, header true, delimiter ',');
