package uploadingest

import (
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/ratelimit"
)

// listBlocks answers GET /api/admin/limits: who may not sign in for a while.
func (f *Function) listBlocks(r *http.Request) (any, error) {
	blocks, err := f.guard.Blocks(r.Context())
	if err != nil {
		return nil, api.New(api.Unavailable).Wrap(err)
	}
	return api.Response{Header: http.Header{"Cache-Control": {"no-store"}}, Body: map[string][]ratelimit.Block{"blocks": blocks}}, nil
}

// liftBlock answers DELETE /api/admin/limits/{id}, which takes an address as well.
func (f *Function) liftBlock(r *http.Request) (any, error) {
	found, err := f.guard.Lift(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		return nil, api.New(api.Unavailable).Wrap(err)
	case !found:
		return nil, api.New(api.NotFound).WithMessage("No block has this id or address. It may have ended: list the blocks again.")
	}
	return api.Response{Status: http.StatusNoContent}, nil
}
