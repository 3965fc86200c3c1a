package uploadingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/tracing"
)

func (f *Function) newCheckup() *checkup.Checkup {
	return &checkup.Checkup{Checks: f.Dependencies(), Queue: f.queueStats.read, Pool: f.pool, Probe: f.probe}
}

// health answers GET /api/health. Only operators see the parts. A token that is neither theirs nor a session's is
// refused, and the guard counts it as a guess.
func (f *Function) health(r *http.Request) (any, error) {
	operator := api.Bears(r, f.cfg.AdminToken)
	if _, person := f.sessions.SignedOwner(r); !operator && !person && api.SendsBearer(r) {
		return nil, api.New(api.Unauthorized)
	}
	report, err := f.checkups.read(r.Context())
	if err != nil {
		return nil, err
	}
	if !operator {
		report.Parts = nil
	}
	return api.Response{Header: api.NoStore(), Body: report}, nil
}

// uploadProbe keeps a PDF of our own as if it had been uploaded.
func (f *Function) uploadProbe(ctx context.Context, pdf []byte, n jobs.NewJob) error {
	file, err := f.tempFile()
	if err != nil {
		return fmt.Errorf("keep the probe: %w", err)
	}
	u := &received{file: file, size: int64(len(pdf))}
	defer u.discard()
	if _, err := io.Copy(file, bytes.NewReader(pdf)); err != nil {
		return fmt.Errorf("keep the probe: %w", err)
	}
	sum := sha256.Sum256(pdf)
	n.SHA256, n.Cause = hex.EncodeToString(sum[:]), tracing.CauseOf(ctx)
	_, err = f.keep(ctx, u, n)
	return err
}
