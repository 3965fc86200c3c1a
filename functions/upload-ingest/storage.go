package uploadingest

import (
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
)

// storageUsage is how much of the storage that an owner may use is used.
type storageUsage struct {
	UsedBytes      int64   `json:"usedBytes"`
	QuotaBytes     int64   `json:"quotaBytes"`
	UsedPercentage float64 `json:"usedPercentage"` // with two decimals
	AvailableBytes int64   `json:"availableBytes"`
}

func (f *Function) usageOf(used jobs.Usage) storageUsage {
	quota := f.cfg.StorageQuota
	return storageUsage{
		UsedBytes: used.Bytes, QuotaBytes: quota, AvailableBytes: max(0, quota-used.Bytes),
		UsedPercentage: math.Round(float64(used.Bytes)/float64(quota)*10000) / 100,
	}
}

// storage answers GET /api/storage/usage. Who has no session has stored nothing.
func (f *Function) storage(r *http.Request) (any, error) {
	var used jobs.Usage
	if owner, ok := f.sessions.Owner(r); ok {
		var err error
		if used, err = f.jobs.Usage(r.Context(), owner); err != nil {
			return nil, err
		}
	}
	return api.Response{Header: http.Header{"Cache-Control": {"private, no-store"}}, Body: f.usageOf(used)}, nil
}

// quotaError tells a caller what is too much.
func (f *Function) quotaError(err error) error {
	over := (*jobs.OverQuotaError)(nil)
	switch {
	case !errors.As(err, &over):
		return err
	case over.Jobs:
		return api.New(api.Conflict, map[string]int{"limit": f.cfg.JobsPerOwner}).
			WithMessage("You have as many uploads as one person can have. Delete one that you no longer need, and try again.")
	}
	usage := f.usageOf(over.Usage)
	return api.New(api.QuotaExceeded, usage).WithMessage(fmt.Sprintf("This file does not fit: you use %s of your %s of storage. "+
		"PDFs leave it within a day; to make room now, delete an upload.", megabytes(usage.UsedBytes), megabytes(usage.QuotaBytes)))
}

// megabytes is a size as people read it.
func megabytes(bytes int64) string {
	return fmt.Sprintf("%.4g MB", math.Round(float64(bytes)/(1<<20)*10)/10)
}
