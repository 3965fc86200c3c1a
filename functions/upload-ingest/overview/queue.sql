-- $1: the owner of the system's own probes, who is nobody.
select status, priority, count(*)::float8,
	coalesce(extract(epoch from now() - min(run_after) filter (where uploaded_at is not null and run_after <= now())), 0)::float8,
	0::float8
from jobs where status = 'pending' and owner <> $1::uuid group by status, priority
union all
select status, priority, count(*)::float8, 0::float8, (count(*) filter (where lease_until < now()))::float8
from jobs where status = 'processing' and owner <> $1::uuid group by status, priority
