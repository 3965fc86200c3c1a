-- $1: the codes of failures that are not the file's fault. $2: the owner of the system's own probes, who is nobody.
with since as (
	-- The smallest UUIDv7 of a time: its first 48 bits are the milliseconds.
	select name, rpad(lpad(to_hex((extract(epoch from now() - age) * 1000)::bigint), 12, '0'), 32, '0')::uuid as id, now() - age as at
	from (values ('hour', interval '1 hour'), ('day', interval '1 day'), ('week', interval '7 days')) as windows (name, age)
),
owners as (
	select owner, bool_or(id >= (select id from since where name = 'hour')) as this_hour, bool_or(id >= (select id from since where name = 'day')) as today
	from jobs where id >= (select id from since where name = 'week') and owner <> $2::uuid group by owner
),
ended as (
	select status, error_code, count(*) as n from jobs
	where completed_at > (select at from since where name = 'hour') and owner <> $2::uuid group by status, error_code
)
select
	coalesce((select sum(n) from ended where status = 'completed'), 0)::float8,
	coalesce((select sum(n) from ended where status = 'failed' and not error_code = any ($1::text[])), 0)::float8,
	coalesce((select sum(n) from ended where status = 'failed' and error_code = any ($1::text[])), 0)::float8,
	(select count(*) from dead_letters)::float8,
	coalesce((select extract(epoch from finished_at) from sweeps where name = 'jobs'), 0)::float8,
	(select count(*) from jobs where id >= (select id from since where name = 'hour') and owner <> $2::uuid)::float8,
	(select count(*) from owners where this_hour)::float8,
	(select count(*) from owners where today)::float8,
	(select count(*) from owners)::float8,
	-- One look into the index for each owner of the week: an EXISTS is planned as a join with all older jobs.
	(select count(*) from owners cross join lateral (
		select from jobs where jobs.owner = owners.owner and jobs.created_at < (select at from since where name = 'week') limit 1) as earlier)::float8,
	coalesce((select sum(size) from (
		select size from jobs where status in ('pending', 'processing') and uploaded_at is not null
		union all
		select size from jobs where completed_at is not null and pdf_deleted_at is null) as kept), 0)::float8,
	(select count(*) from google_syncs where status = 'pending')::float8,
	coalesce((select extract(epoch from now() - min(run_after)) from google_syncs where status = 'pending' and run_after <= now()), 0)::float8,
	(select count(*) from feeds)::float8
