-- Several CTEs and a union of them. Topic: WITH
with web_orders as (
    select order_id, customer_id, amount, 'web' as channel from raw_web_orders
),
shop_orders as (
    select order_id, customer_id, amount, 'shop' as channel from raw_shop_orders
),
all_orders as (
    select * from web_orders
    union all
    select * from shop_orders
)
select channel, count(*) as order_count, sum(amount) as revenue
from all_orders
group by channel
having sum(amount) > 0
order by revenue desc nulls last;

-- A window function as filter. Topic: QUALIFY
select customer_id, order_id, ordered_at
from orders
qualify row_number() over (partition by customer_id order by ordered_at desc) = 1;

-- QUALIFY by the alias of a window function, together with where. Topic: QUALIFY
select
    product_id,
    store_id,
    revenue,
    dense_rank() over (partition by store_id order by revenue desc) as revenue_rank
from store_product_revenue
where revenue > 0
qualify revenue_rank <= 3;

-- Elements of an array as rows. Topic: FLATTEN
select
    o.order_id,
    line.index as line_no,
    line.value:sku::varchar as sku,
    line.value:quantity::number as quantity
from raw_orders as o,
    lateral flatten(input => o.payload:lines) as line;

-- Flatten that keeps rows with empty arrays, with a path and a mode. Topic: FLATTEN
select
    e.event_id,
    f.key,
    f.path,
    f.value
from events as e,
    lateral flatten(input => e.payload, path => 'properties', outer => true, recursive => false, mode => 'OBJECT') as f;

-- Flatten as a table function. Topic: FLATTEN, Table literals
select t.value::varchar as country
from table(flatten(input => parse_json('["DE", "FR", "IT"]'))) as t;

-- Paths into a variant by colon, dot, bracket and quoted key. Topic: Querying semi-structured data
select
    payload:user.id::number as user_id,
    payload['device']['os']::string as device_os,
    payload:items[0].price::number(10, 2) as first_price,
    payload:"Order Id"::varchar as order_id,
    get_path(payload, 'user.address.city')::varchar as city
from events;

-- Building, changing and reading objects. Topic: OBJECT_CONSTRUCT and other object functions
select
    customer_id,
    object_construct('id', customer_id, 'email', email) as customer_object,
    object_construct_keep_null('phone', phone, 'fax', null) as contact_object,
    object_insert(attributes, 'checked', true, true) as with_flag,
    object_delete(attributes, 'internal') as public_attributes,
    object_pick(attributes, 'size', 'color') as shown_attributes,
    object_keys(attributes) as attribute_names
from customers;

-- A whole row as an object. Topic: OBJECT_CONSTRUCT
select object_construct(*) as row_object, hash(*) as row_hash
from dim_store;

-- Constants of objects and arrays. Topic: Semi-structured data types
select
    {'status': 'new', 'retries': 0} as state,
    [1, 2, 3] as numbers,
    array_construct('a', null, 'b') as letters;

-- Ordered and distinct arrays from groups. Topic: ARRAY_AGG
select
    customer_id,
    array_agg(order_id) within group (order by ordered_at desc) as order_history,
    array_agg(distinct channel) as channels,
    array_unique_agg(country) as countries
from orders
group by customer_id;

-- Text from groups in an order. Topic: LISTAGG
select
    team_id,
    listagg(distinct member_name, ', ') within group (order by member_name) as members
from team_members
group by team_id;

-- LISTAGG over partitions. Topic: LISTAGG
select
    invoice_id,
    listagg(product_code, '|') within group (order by line_no) over (partition by invoice_id) as product_codes
from invoice_lines;

-- An object from groups of keys and values. Topic: OBJECT_AGG
select
    device_id,
    object_agg(setting_name, to_variant(setting_value)) as settings
from device_settings
group by device_id;

-- Casts that give null instead of an error. Topic: TRY_CAST and TRY_TO_ functions
select
    try_cast(amount_text as number(12, 2)) as amount,
    try_to_number(quantity_text, 10, 0) as quantity,
    try_to_date(birth_text, 'DD.MM.YYYY') as birth_date,
    try_to_timestamp_ntz(event_text) as event_at,
    try_to_boolean(flag_text) as flag,
    try_to_double(ratio_text) as ratio,
    try_parse_json(payload_text) as payload
from raw_import;

-- Casts with types that have a precision. Topic: CAST, Numeric data types
select
    amount::number(38, 2) as amount,
    cast(quantity as integer) as quantity,
    rate::float as rate,
    code::varchar(10) as code,
    note::text as note,
    is_open::boolean as is_open,
    payload::variant as payload
from raw_positions;

-- The three kinds of timestamps and a change of time zone. Topic: Date and time data types, CONVERT_TIMEZONE
select
    created_at::timestamp_ntz as created_ntz,
    created_at::timestamp_ltz as created_ltz,
    to_timestamp_tz('2024-03-31 01:30:00 +0100') as created_tz,
    convert_timezone('UTC', 'Europe/Berlin', created_at::timestamp_ntz) as created_berlin,
    convert_timezone('America/New_York', current_timestamp()) as now_new_york
from tickets;

-- Adding and subtracting units of time. Topic: DATEADD, DATEDIFF
select
    dateadd(month, -3, current_date) as three_months_ago,
    dateadd('hour', 6, started_at) as planned_end,
    timestampadd(minute, 15, started_at) as reminder_at,
    datediff('week', started_at, ended_at) as weeks_between,
    datediff(second, started_at, ended_at) as seconds_between,
    add_months(started_at::date, 12) as renewal_date,
    months_between(ended_at, started_at) as months_between
from contracts;

-- Ends and starts of periods. Topic: LAST_DAY, DATE_TRUNC, NEXT_DAY
select
    last_day(order_date) as month_end,
    last_day(order_date, 'quarter') as quarter_end,
    date_trunc('week', order_date) as week_start,
    date_trunc(year, order_date) as year_start,
    trunc(order_date, 'month') as month_start,
    next_day(order_date, 'monday') as next_monday,
    previous_day(order_date, 'su') as last_sunday
from orders;

-- Parts of dates. Topic: EXTRACT, DATE_PART
select
    extract(year from ordered_at) as order_year,
    date_part('dayofweekiso', ordered_at) as iso_weekday,
    date_part(epoch_second, ordered_at) as unix_seconds,
    weekiso(ordered_at) as iso_week,
    yearofweekiso(ordered_at) as iso_year,
    dayname(ordered_at) as weekday_name,
    monthname(ordered_at) as month_name,
    hour(ordered_at) as order_hour
from orders;

-- Literals of dates and times and interval constants. Topic: Date and time data types
select
    date '2024-02-29' + interval '1 year' as next_year,
    timestamp '2024-02-29 12:00:00' - interval '3 hours, 30 minutes' as earlier,
    time '08:15:00' as opening_time,
    '2024-12-31'::date - 30 as a_month_before;

-- Dates from numbers and text with formats. Topic: DATE_FROM_PARTS, TO_CHAR
select
    date_from_parts(sale_year, sale_month, 1) as month_start,
    timestamp_from_parts(2024, 1, 15, 8, 30, 0) as shift_start,
    to_char(sold_at, 'YYYY-MM-DD HH24:MI:SS') as sold_at_text,
    to_date(sold_on_text, 'YYYYMMDD') as sold_on,
    to_varchar(amount, '999,990.00') as amount_text
from sales;

-- Time in equal slices. Topic: TIME_SLICE
select
    time_slice(measured_at, 15, 'MINUTE', 'START') as slice_start,
    avg(reading) as mean_reading
from sensor_readings
group by 1
order by 1;

-- Values of rows before and behind, without nulls. Topic: LAG, LAST_VALUE
select
    device_id,
    measured_at,
    lag(reading, 1, 0) over (partition by device_id order by measured_at) as previous_reading,
    lead(measured_at) over (partition by device_id order by measured_at) as next_measured_at,
    last_value(firmware) ignore nulls over (
        partition by device_id order by measured_at
        rows between unbounded preceding and current row
    ) as known_firmware
from sensor_readings;

-- First and n-th value of a window. Topic: FIRST_VALUE, NTH_VALUE
select
    customer_id,
    first_value(channel) over (partition by customer_id order by ordered_at) as first_channel,
    nth_value(amount, 2) over (partition by customer_id order by ordered_at) as second_amount
from orders;

-- A frame by time. Topic: Window function syntax and usage
select
    store_id,
    sale_date,
    sum(revenue) over (
        partition by store_id
        order by sale_date
        range between interval '6 days' preceding and current row
    ) as revenue_7_days
from store_days;

-- Frames by rows and a running total by range. Topic: Window function syntax and usage
select
    booked_on,
    avg(amount) over (order by booked_on rows between 2 preceding and 2 following) as centered_average,
    sum(amount) over (order by booked_on range between unbounded preceding and current row) as running_total,
    max(amount) over (partition by account_id) as largest
from bookings;

-- Ranks and shares. Topic: Window functions
select
    employee_id,
    rank() over (partition by department_id order by salary desc) as salary_rank,
    ntile(4) over (order by salary) as quartile,
    percent_rank() over (order by salary) as salary_percent_rank,
    cume_dist() over (order by salary) as salary_cume_dist,
    ratio_to_report(salary) over (partition by department_id) as salary_share
from employees;

-- Counting events and changes to number sessions. Topic: CONDITIONAL_TRUE_EVENT, CONDITIONAL_CHANGE_EVENT
select
    user_id,
    clicked_at,
    conditional_true_event(gap_minutes > 30) over (partition by user_id order by clicked_at) as session_no,
    conditional_change_event(campaign) over (partition by user_id order by clicked_at) as campaign_no
from clicks;

-- Rows of a column as columns, with fixed values. Topic: PIVOT
select *
from monthly_sales
pivot (sum(amount) for sales_month in ('JAN', 'FEB', 'MAR')) as p (region, jan, feb, mar)
order by region;

-- Pivot over all values that occur, with a default. Topic: PIVOT
select *
from (select region, fiscal_quarter, amount from quarterly_sales)
pivot (sum(amount) for fiscal_quarter in (any order by fiscal_quarter) default on null (0));

-- Columns as rows. Topic: UNPIVOT
select product_id, month_name, units
from product_units
unpivot include nulls (units for month_name in (jan, feb, mar, apr));

-- A pattern over rows. Topic: MATCH_RECOGNIZE
select *
from stock_prices
match_recognize (
    partition by symbol
    order by price_date
    measures
        first(down.price_date) as fall_start,
        last(up.price_date) as rise_end,
        count(*) as days_in_pattern
    one row per match
    after match skip to last up
    pattern (start_row down+ up+)
    define
        down as price < lag(price),
        up as price > lag(price)
);

-- A sample by share of rows. Topic: SAMPLE / TABLESAMPLE
select *
from page_views sample bernoulli (10);

-- A sample with a fixed number of rows of a joined table, and one by blocks with a seed. Topic: SAMPLE / TABLESAMPLE
select v.view_id, u.country
from page_views as v tablesample system (5) seed (42)
inner join users as u on v.user_id = u.user_id;

-- Grouping by all columns that are no aggregates, and ordering by all. Topic: GROUP BY, ORDER BY
select region, channel, sum(amount) as revenue, count(*) as order_count
from orders
group by all
order by all;

-- Groups in several levels. Topic: GROUP BY GROUPING SETS
select
    region,
    channel,
    grouping(region) as is_region_total,
    grouping_id(region, channel) as level_no,
    sum(amount) as revenue
from orders
group by grouping sets ((region, channel), region, channel);

-- Subtotals from left to right. Topic: GROUP BY ROLLUP
select sale_year, sale_quarter, sum(amount) as revenue
from sales
group by rollup (sale_year, sale_quarter);

-- Subtotals of all combinations. Topic: GROUP BY CUBE
select country, product_line, count(distinct customer_id) as customers
from sales
group by cube (country, product_line);

-- A star without, with changed and with renamed columns. Topic: SELECT
select
    o.* exclude (internal_note, loaded_at)
        replace (amount / 100 as amount, upper(status) as status)
        rename (id as order_id, cust as customer_id)
from raw_orders as o;

-- A star with the columns that match a pattern. Topic: SELECT
select * ilike '%revenue%' rename revenue_eur as revenue
from store_days;

-- A comma behind the last column is allowed. Topic: SELECT
select
    customer_id,
    email,
    country,
from customers
where country in ('DE', 'AT', 'CH');

-- The row of another table that is nearest in time. Topic: ASOF JOIN
select t.trade_id, t.symbol, t.traded_at, q.bid
from trades as t
asof join quotes as q
    match_condition (t.traded_at >= q.quoted_at)
    on t.symbol = q.symbol;

-- A subquery that refers to the table before it. Topic: LATERAL
select d.department_id, d.department_name, e.headcount
from departments as d,
    lateral (select count(*) as headcount from employees as x where x.department_id = d.department_id) as e;

-- Joins with using, full outer and cross. Topic: JOIN
select
    coalesce(b.account_id, a.account_id) as account_id,
    b.planned,
    a.booked,
    c.currency
from budgets as b
full outer join actuals as a using (account_id)
cross join currencies as c
left join accounts as acc on acc.account_id = b.account_id and acc.is_open;

-- A CTE that refers to itself. Topic: WITH, Working with CTEs
with recursive org_tree (employee_id, manager_id, depth, chain) as (
    select employee_id, manager_id, 1, employee_name::varchar(1000)
    from employees
    where manager_id is null
    union all
    select e.employee_id, e.manager_id, t.depth + 1, t.chain || ' > ' || e.employee_name
    from employees as e
    inner join org_tree as t on e.manager_id = t.employee_id
)
select * from org_tree order by depth, employee_id;

-- A hierarchy without a CTE. Topic: CONNECT BY
select employee_id, manager_id, level, sys_connect_by_path(employee_name, ' / ') as chain
from employees
start with manager_id is null
connect by manager_id = prior employee_id;

-- A merge with several conditions. Topic: MERGE
merge into dim_customer as t
using (
    select customer_id, email, is_deleted, updated_at
    from stg_customer
    qualify row_number() over (partition by customer_id order by updated_at desc) = 1
) as s
    on t.customer_id = s.customer_id
when matched and s.is_deleted then delete
when matched and s.updated_at > t.updated_at then
    update set t.email = s.email, t.updated_at = s.updated_at
when not matched and not s.is_deleted then
    insert (customer_id, email, updated_at) values (s.customer_id, s.email, s.updated_at);

-- A merge of tables whose columns have the same names. Topic: MERGE
merge into dim_currency as t
using stg_currency as s
    on t.currency_code = s.currency_code
when matched then update all by name
when not matched then insert all by name;

-- One source for several tables, with conditions. Topic: INSERT (multi-table)
insert first
    when amount >= 10000 then
        into large_orders (order_id, amount) values (order_id, amount)
    when amount >= 1000 then
        into medium_orders (order_id, amount) values (order_id, amount)
    else
        into small_orders (order_id, amount) values (order_id, amount)
select order_id, amount
from stg_orders;

-- One source for two tables without conditions. Topic: INSERT (multi-table)
insert all
    into order_heads (order_id, customer_id) values (order_id, customer_id)
    into order_audit (order_id, seen_at) values (order_id, seen_at)
select order_id, customer_id, current_timestamp() as seen_at
from stg_orders;

-- Replacing the rows of a table. Topic: INSERT
insert overwrite into daily_snapshot (snapshot_date, account_id, balance)
select current_date, account_id, balance
from accounts;

-- A CTE behind an insert. Topic: INSERT
insert into customers (customer_id, email)
with fresh as (
    select customer_id, lower(trim(email)) as email from stg_customers
)
select f.customer_id, f.email
from fresh as f
where not exists (select 1 from customers as c where c.customer_id = f.customer_id);

-- JSON into a table by a select. Topic: INSERT, PARSE_JSON
insert into events (event_id, payload)
select column1, parse_json(column2)
from values (1, '{"kind": "click"}'), (2, '{"kind": "view"}');

-- A table from a query, without fail-safe and clustered. Topic: CREATE TABLE ... AS SELECT
create or replace transient table fct_orders
cluster by (order_date, region)
as
select order_id, ordered_at::date as order_date, region, amount
from stg_orders;

-- A table with keys, defaults, an identity and comments. Topic: CREATE TABLE
create table if not exists dim_store (
    store_key number(38, 0) not null identity (1, 1),
    store_id varchar(20) not null comment 'number of the store in the source',
    store_name string,
    opened_on date,
    is_active boolean default true,
    attributes variant,
    tags array,
    loaded_at timestamp_ntz(9) default current_timestamp(),
    constraint pk_dim_store primary key (store_key),
    unique (store_id)
)
data_retention_time_in_days = 3
comment = 'one row per store';

-- A copy without data movement, as of an hour ago. Topic: CREATE ... CLONE, Time Travel
create table orders_backup clone orders at (offset => -3600);

-- An empty table with the columns of another one. Topic: CREATE TABLE ... LIKE
create or replace table orders_next like orders;

-- Columns from the files of a stage. Topic: CREATE TABLE ... USING TEMPLATE, INFER_SCHEMA
create or replace table raw_orders using template (
    select array_agg(object_construct(*))
    from table(infer_schema(location => '@landing/orders/', file_format => 'parquet_format'))
);

-- A table that keeps itself fresh. Topic: CREATE DYNAMIC TABLE
create or replace dynamic table customer_totals
    target_lag = '30 minutes'
    warehouse = transform_wh
    refresh_mode = auto
as
select customer_id, count(*) as order_count, sum(amount) as total_amount
from orders
group by customer_id;

-- A secured view that keeps its grants. Topic: CREATE VIEW
create or replace secure view vw_active_customers (customer_id, email)
copy grants
comment = 'customers with an order in the last year'
as
select c.customer_id, c.email
from customers as c
where exists (
    select 1 from orders as o
    where o.customer_id = c.customer_id and o.ordered_at >= dateadd(year, -1, current_date)
);

-- Adding a column if it is missing. Topic: ALTER TABLE
alter table dim_customer add column if not exists loyalty_points number(38, 0);

-- Removing columns if they are there. Topic: ALTER TABLE
alter table if exists dim_customer drop column if exists fax_number, telex_number;

-- A new name for a column. Topic: ALTER TABLE
alter table dim_customer rename column mail to email;

-- A longer text and no need for a value. Topic: ALTER TABLE ... ALTER COLUMN
alter table dim_customer alter
    column email set data type varchar(320),
    column phone drop not null;

-- Exchanging two tables. Topic: ALTER TABLE
alter table fct_orders swap with fct_orders_new;

-- Loading files by the names of their columns. Topic: COPY INTO table
copy into raw_orders
from @landing/orders/
pattern = '.*[.]parquet'
file_format = (type = parquet)
match_by_column_name = case_insensitive
on_error = abort_statement;

-- Loading with a select on the files. Topic: COPY INTO table, Transform data during a load
copy into raw_customers (customer_id, email, file_name, file_row)
from (
    select s.$1::number, s.$2, metadata$filename, metadata$file_row_number
    from @landing/customers/ s
)
file_format = (type = csv skip_header = 1 field_optionally_enclosed_by = '"' null_if = ('', 'NULL'))
on_error = 'skip_file'
force = true;

-- Unloading a query into files. Topic: COPY INTO location
copy into @exports/orders/
from (select order_id, order_date, amount from fct_orders)
partition by ('date=' || to_varchar(order_date))
file_format = (type = parquet)
header = true
max_file_size = 32000000;

-- Reading files of a stage without loading them. Topic: Query data in staged files
select t.$1 as customer_id, t.$2 as email, metadata$filename as file_name
from @landing/customers/ (file_format => 'csv_format', pattern => '.*2024.*[.]csv') t;

-- Deleting rows by another table. Topic: DELETE
delete from order_lines
using cancelled_orders as c
where order_lines.order_id = c.order_id;

-- Updating rows by another query. Topic: UPDATE
update dim_product
set category = s.category, updated_at = current_timestamp()
from (select product_id, max(category) as category from stg_product group by product_id) as s
where dim_product.product_id = s.product_id and dim_product.category is distinct from s.category;

-- Regular expressions with position, occurrence and group. Topic: String functions (regular expressions)
select
    regexp_substr(url, 'utm_source=([^&]+)', 1, 1, 'e', 1) as utm_source,
    regexp_replace(phone, '[^0-9]', '') as phone_digits,
    regexp_replace(note, '\\s+', ' ', 1, 0, 'i') as tidy_note,
    regexp_count(note, 'error') as error_count,
    regexp_instr(note, '[0-9]') as first_digit,
    regexp_like(sku, '[A-Z]{2}-[0-9]+') as is_sku,
    regexp_substr_all(note, '#[a-z]+') as hashtags
from messages
where url rlike 'https?://.*' and not regexp_like(note, '.*test.*', 'i');

-- Hashes and keys. Topic: SHA2, MD5, HASH
select
    sha2(lower(email), 256) as email_hash,
    md5(concat_ws('|', customer_id::varchar, country)) as customer_key,
    sha1(phone) as phone_hash,
    md5_binary(email) as email_bytes,
    hash(customer_id, country) as row_hash,
    uuid_string() as random_key
from customers;

-- Bits of numbers. Topic: Bitwise expression functions
select
    bitand(flags, 4) as has_flag,
    bitor(flags, 8) as with_flag,
    bitxor(flags, mask) as changed,
    bitshiftleft(1, bit_no) as one_bit,
    bitor_agg(flags) over (partition by device_id) as all_flags
from device_flags;

-- Conditions and nulls in short form. Topic: Conditional expression functions
select
    iff(amount > 0, 'credit', 'debit') as direction,
    nvl2(closed_at, 'closed', 'open') as state,
    zeroifnull(discount) as discount,
    nullifzero(quantity) as quantity,
    div0(revenue, visits) as revenue_per_visit,
    div0null(revenue, visits) as revenue_per_visit_null,
    decode(status_code, 1, 'new', 2, 'paid', 'other') as status_name,
    equal_null(old_value, new_value) as is_same,
    ifnull(note, '') as note,
    greatest_ignore_nulls(q1, q2, q3) as best_quarter
from bookings;

-- Aggregates of conditions. Topic: BOOLOR_AGG, COUNT_IF
select
    customer_id,
    boolor_agg(is_returned) as any_returned,
    booland_agg(is_paid) as all_paid,
    count_if(amount > 100) as large_orders,
    max_by(channel, ordered_at) as last_channel,
    min_by(order_id, ordered_at, 3) as first_orders,
    any_value(country) as country,
    mode(payment_type) as usual_payment
from orders
group by customer_id;

-- Estimates. Topic: APPROX_COUNT_DISTINCT, APPROX_PERCENTILE, APPROX_TOP_K
select
    page,
    approx_count_distinct(visitor_id) as visitors,
    hll(session_id) as sessions,
    approx_percentile(load_ms, 0.95) as p95_load,
    approx_top_k(referrer, 5) as top_referrers
from page_views
group by page;

-- Exact percentiles of groups. Topic: PERCENTILE_CONT, MEDIAN
select
    endpoint,
    median(latency_ms) as median_latency,
    percentile_cont(0.9) within group (order by latency_ms) as p90_latency,
    percentile_disc(0.5) within group (order by latency_ms desc) as middle_latency,
    stddev_samp(latency_ms) as latency_stddev,
    corr(latency_ms, payload_bytes) as latency_size_corr
from api_requests
group by endpoint;

-- A calendar from generated rows. Topic: GENERATOR, SEQ4
select
    dateadd(day, row_number() over (order by seq4()) - 1, '2024-01-01'::date) as calendar_day,
    uniform(1, 6, random()) as dice
from table(generator(rowcount => 366));

-- The result of an earlier query. Topic: RESULT_SCAN
select "name", "rows"
from table(result_scan(last_query_id()))
where "rows" > 0;

-- Working with arrays. Topic: Semi-structured and structured data functions (Array)
select
    array_size(tags) as tag_count,
    array_contains('organic'::variant, tags) as is_organic,
    array_position('new'::variant, tags) as new_position,
    array_slice(tags, 0, 3) as first_tags,
    array_to_string(array_sort(array_distinct(tags)), ', ') as tag_text,
    array_cat(tags, array_construct('x')) as longer,
    array_append(tags, 'y') as appended,
    array_intersection(tags, other_tags) as common_tags,
    array_flatten([[1, 2], [3]]) as flat,
    arrays_overlap(tags, other_tags) as have_common,
    array_generate_range(0, 10, 2) as even_numbers
from products;

-- Functions over the elements of an array. Topic: FILTER, TRANSFORM, REDUCE
select
    basket_id,
    filter(items, i -> i:quantity::int > 0) as kept_items,
    transform(prices, p int -> p * 2) as double_prices,
    reduce(prices, 0, (acc, p) -> acc + p) as total_price
from baskets;

-- Functions on text. Topic: String and binary functions
select
    split_part(email, '@', 2) as email_domain,
    split(tag_list, ',')[0]::varchar as first_tag,
    strtok(full_name, ' ', 1) as first_name,
    initcap(city) as city,
    lpad(store_no::varchar, 5, '0') as store_code,
    left(zip, 2) || '***' as zip_area,
    substr(iban, 5, 4) as bank_part,
    position('-' in sku) as dash_position,
    charindex('x', sku) as x_position,
    translate(phone, '()- ', '') as phone_plain,
    editdistance(name_a, name_b) as name_distance,
    jarowinkler_similarity(name_a, name_b) as name_similarity,
    contains(note, 'urgent') as is_urgent,
    startswith(sku, 'AB') and not endswith(sku, '9') as is_ab
from contacts;

-- Text as rows. Topic: SPLIT_TO_TABLE
select c.contact_id, s.seq, s.index, trim(s.value) as interest
from contacts as c,
    lateral split_to_table(c.interests, ';') as s;

-- Several patterns at once. Topic: LIKE ANY, ILIKE
select product_id
from products
where product_name like any ('%bio%', '%organic%', 'eco^_%') escape '^'
    and product_name not ilike '%sample%'
    and description like all ('%fair%', '%local%');

-- A table of constants with names for its columns. Topic: VALUES
select v.code, v.label
from (values ('N', 'new'), ('P', 'paid'), ('C', 'cancelled')) as v (code, label)
where v.code <> 'C';

-- Union by the names of the columns. Topic: Set operators
select order_id, amount, currency from orders_2023
union all by name
select currency, order_id, amount, discount from orders_2024;

-- Differences and common rows. Topic: Set operators
(select customer_id from newsletter_readers
intersect
select customer_id from buyers)
minus
select customer_id from blocked_customers
order by customer_id
limit 100 offset 20;

-- A state of a table in the past, and the first rows only. Topic: AT | BEFORE, LIMIT / FETCH
select top 10 order_id, amount
from orders at (timestamp => '2024-06-01 00:00:00'::timestamp_ltz)
where amount between 10 and 20 and ordered_at::date between '2024-05-01' and '2024-05-31'
order by amount desc;
