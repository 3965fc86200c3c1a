package account

import (
	"context"
	"fmt"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Rotated counts what a rotation did.
type Rotated struct {
	Sealed int // tokens that the current key seals now
	Lost   int // tokens whose key is not known: these people must sign in again
}

const oldSQL = `
select ` + columns + ` from google_accounts
where key_id is not null and key_id <> $1 and id > $2::uuid order by id limit $3::int`

const resealSQL = `
update google_accounts set refresh_token = $2::bytea, key_id = $3, updated_at = now()
where id = $1::uuid and refresh_token = $4::bytea`

// Rotate seals by the current key what others sealed. It is safe at any time, any number of times, while
// people sign in; what it had done before an error stays done. Afterwards the older keys can go.
func (s *Store) Rotate(ctx context.Context) (done Rotated, err error) {
	const batch = 100
	last := "00000000-0000-0000-0000-000000000000"
	for {
		accounts, err := postgres.Query(ctx, s.pool, scan, oldSQL, s.keys.Current(), last, batch)
		if err != nil {
			return done, fmt.Errorf("list what older keys sealed: %w", err)
		}
		for _, a := range accounts {
			last = a.ID
			token, err := s.RefreshToken(a)
			if err != nil {
				done.Lost++
				continue
			}
			sealed, key := s.keys.Seal(token, purposeOf(a.ID))
			touched, err := s.pool.Exec(ctx, resealSQL, a.ID, sealed, key, a.sealed)
			if err != nil {
				return done, fmt.Errorf("seal a token again: %w", err)
			}
			done.Sealed += int(touched) // none where the person signed in meanwhile: that token is new anyway
		}
		if len(accounts) < batch {
			return done, nil
		}
	}
}
