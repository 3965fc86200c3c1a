package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
)

// Revocations end the access of accounts that are deleted (package personal): whoever deletes one needs neither
// Google nor the keys.
type Revocations struct {
	store   *Store
	signIns *SignIns
}

// NewRevocations are those of a store's database.
func NewRevocations(store *Store, signIns *SignIns) *Revocations { return &Revocations{store, signIns} }

const (
	// lastTry is the age after which a token that Google never answered about is tried once more and deleted: a little
	// before anything else forgets it.
	lastTry         = personal.RevocationTime - time.Hour
	revocationBatch = 20
)

// Each is tried again after a minute at the earliest, so that two sweeps do not ask for the same.
const dueRevocationsSQL = `
update google_revocations set tried_at = now() where account_id in (
	select account_id from google_revocations where tried_at is null or tried_at <= now() - interval '50 seconds'
	order by tried_at nulls first, requested_at limit $1::int for update skip locked)
returning account_id::text, refresh_token, key_id, requested_at <= now() - make_interval(secs => $2::float8)`

const (
	// stillDueSQL is asked right before Google is: a sign-in since the batch was read cancels a revocation.
	stillDueSQL = `select exists (select from google_revocations where account_id = $1::uuid)`

	deleteRevocationSQL = `delete from google_revocations where account_id = $1::uuid`

	// cancelRevocationsSQL: Google knows one access for each person, so ending an old one would end the new one.
	cancelRevocationsSQL = `delete from google_revocations where subject_hash = sha256(convert_to($1::text, 'UTF8'))`
)

type revocation struct {
	Account string
	Sealed  []byte
	KeyID   string
	Old     bool
}

// Sweep asks Google to end each access that is to end, and returns how many ended. One that fails is tried again by
// the next sweep, for a week.
func (r *Revocations) Sweep(ctx context.Context) (ended int64, err error) {
	due, err := postgres.Query(ctx, r.store.pool, pgx.RowToStructByPos[revocation], dueRevocationsSQL, revocationBatch, lastTry.Seconds())
	if err != nil {
		return 0, fmt.Errorf("find access to end: %w", err)
	}
	for _, one := range due {
		still, err := postgres.QueryOne(ctx, r.store.pool, pgx.RowTo[bool], stillDueSQL, one.Account)
		if err != nil {
			return ended, fmt.Errorf("find access to end: %w", err)
		}
		if !still {
			continue
		}
		err = r.revoke(ctx, one)
		if err != nil {
			api.Logger(ctx).WarnContext(ctx, "access of a deleted account not ended", "given_up", one.Old, "error", err.Error())
		}
		var away *UnavailableError
		switch {
		case err == nil, one.Old, errors.Is(err, ErrUnknownKey):
		case errors.As(err, &away):
			return ended, nil // the next sweep asks for the others
		default:
			continue
		}
		if _, deleteErr := r.store.pool.Exec(ctx, deleteRevocationSQL, one.Account); deleteErr != nil {
			return ended, fmt.Errorf("forget a token: %w", deleteErr)
		}
		if err == nil {
			ended++
		}
	}
	return ended, nil
}

func (r *Revocations) revoke(ctx context.Context, one revocation) error {
	token, err := r.store.keys.Open(one.Sealed, one.KeyID, purposeOf(one.Account))
	if err != nil {
		return err
	}
	return r.signIns.Revoke(ctx, token)
}
