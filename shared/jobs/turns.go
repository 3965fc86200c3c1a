package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Turns are fair queueing by a clock of its own (S. J. Golestani, A Self-Clocked Fair Queueing Scheme, INFOCOM 1994).
// A share is an account, an owner, or an address of owners who did not sign in. Each of its jobs gets the turn after
// the last one that the share was given, or after the clock, which is the turn that began last. The least turn is the
// next. So a share that has one job waits for at most two of each other share, however many they send, and none that
// comes later overtakes it twice. Within a share, owners have rounds in the same way: when a turn of the share has
// come, it is the job of the least round that takes it, and leaves its own turn to the job that had it.
//
// Each priority has turns and clocks of its own.

// noShare stands in a row of turns for the share of a clock and the owner of a share.
const noShare = `'00000000-0000-0000-0000-000000000000'::uuid`

// nextSQL takes a job of the first of the priorities of which one waits. Leases that have ended come first: their turn
// had come. They, and jobs that are due again, keep it.
const nextSQL = `
with again as (
	select id from jobs
	where status = 'processing' and lease_until <= now() and priority = any($1::text[])
		and attempts < $4::int and started_at > now() - make_interval(secs => $5::float8)
	order by lease_until limit 1 for update skip locked
), class as (
	select asked.priority from unnest($1::text[]) with ordinality as asked (priority, place)
	cross join lateral (
		select from jobs
		where status = 'pending' and uploaded_at is not null and jobs.priority = asked.priority
			and run_after <= now() and attempts < $4::int
			and (started_at is null or started_at > now() - make_interval(secs => $5::float8))
		order by turn, id limit 1) as waiting
	order by place limit 1
), next as (
	select id, share, turn, round from jobs
	where status = 'pending' and uploaded_at is not null and priority = (select priority from class) and not exists (select from again)
		and run_after <= now() and attempts < $4::int
		and (started_at is null or started_at > now() - make_interval(secs => $5::float8))
	order by turn, id limit 1 for update skip locked
), mine as (
	select next.id as other, next.share, next.turn, coalesce(j.id, next.id) as id, coalesce(j.turn, next.turn) as left_turn,
		coalesce(j.round, next.round) as round
	from next left join lateral (
		select id, turn, round from jobs
		where share = next.share and priority = (select priority from class) and status = 'pending' and uploaded_at is not null
		order by round, id limit 1 for update skip locked) j on true
), left_to as (
	update jobs set turn = mine.left_turn from mine where jobs.id = mine.other and mine.id <> mine.other
), rounds as (
	update turns set begun = greatest(begun, mine.round) from mine
	where turns.priority = (select priority from class) and turns.share = mine.share and turns.owner = ` + noShare + `
	returning mine.id
), clock as (
	insert into turns (priority, share, owner, begun)
	select class.priority, ` + noShare + `, ` + noShare + `, mine.turn from class, mine left join rounds on true
	on conflict (priority, share, owner) do update set begun = greatest(turns.begun, excluded.begun)
)
update jobs set status = 'processing', attempts = attempts + 1, lease_token = $2::uuid,
	lease_until = now() + make_interval(secs => $3::float8), started_at = coalesce(started_at, now()),
	share = null, turn = coalesce(taken.at, turn), updated_at = now()
from (select id, turn from mine union all select id, null from again) as taken (job, at)
where id = taken.job
returning ` + columns

// Next claims the job whose turn it is, of the first of the priorities that has one. ErrNotClaimable says that none
// of them has.
func (s *Store) Next(ctx context.Context, lease time.Duration, priorities ...Priority) (*Claim, error) {
	token := uuid.NewString()
	job, err := postgres.QueryOne(ctx, s.pool, scanJob, nextSQL, names(priorities), token, lease.Seconds(),
		s.limits.Attempts, s.limits.Timeout.Seconds())
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotClaimable
	}
	if err != nil {
		return nil, fmt.Errorf("claim the next job: %w", err)
	}
	return &Claim{Job: job, Token: token, store: s}, nil
}

const anyDueSQL = `
select exists (
	select from jobs
	where status = 'pending' and uploaded_at is not null and priority = any($1::text[]) and run_after <= now() and attempts < $2::int
		and (started_at is null or started_at > now() - make_interval(secs => $3::float8))
) or exists (
	select from jobs
	where status = 'processing' and lease_until <= now() and priority = any($1::text[]) and attempts < $2::int
		and started_at > now() - make_interval(secs => $3::float8))`

// AnyDue reports whether Next would have a job to claim.
func (s *Store) AnyDue(ctx context.Context, priorities ...Priority) (bool, error) {
	due, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[bool], anyDueSQL, names(priorities), s.limits.Attempts, s.limits.Timeout.Seconds())
	if err != nil {
		return false, fmt.Errorf("ask whether a job is due: %w", err)
	}
	return due, nil
}

func names(priorities []Priority) []string {
	list := make([]string, len(priorities))
	for i, priority := range priorities {
		list[i] = string(priority)
	}
	return list
}

// untakenSQL takes back the turn of a job that is gone and never took it, so that the rest of its share does not
// wait for it.
const untakenSQL = `
	update turns set given = given - 1 from gone
	where turns.priority = gone.priority and turns.share = gone.share and turns.owner = ` + noShare

const deleteOldTurnsSQL = `
delete from turns where ctid = any(array(
	select ctid from turns
	where used_at <= now() - make_interval(secs => $1::float8) and share <> ` + noShare + `
		and not exists (select from jobs where jobs.share = turns.share and status = 'pending')
	order by used_at limit $2::int for update skip locked))`

// DeleteOldTurns deletes at most limit turns and rounds of shares that have uploaded nothing for age and have no
// waiting job. It returns how many.
func (s *Store) DeleteOldTurns(ctx context.Context, age time.Duration, limit int) (int64, error) {
	gone, err := s.pool.Exec(ctx, deleteOldTurnsSQL, age.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("delete old turns: %w", err)
	}
	return gone, nil
}
