package s3test_test

import (
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
)

func TestBothServersTakeTheSameStore(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...s3test.Webhook) *s3test.Server{"embedded": s3test.New, "MinIO": s3test.MinIO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			store := server.Store(t)
			if _, err := store.Put(t.Context(), "k", strings.NewReader("v"), 1, "", nil); err != nil {
				t.Fatal(err)
			}
			if err := server.Stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Stat(t.Context(), "k"); err == nil {
				t.Error("a stopped server answers")
			}
		})
	}
}
