package redistest_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
)

func TestItStopsAndStartsOnTheSameAddress(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries = -1
	client := redis.NewClient(options)
	defer client.Close() // only asked
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("a stopped server answers")
	}
	server.Start()
	if n, err := client.Exists(t.Context(), "k").Result(); err != nil || n != 0 {
		t.Errorf("after the start: got %d keys, %v; want an empty server", n, err)
	}
}
