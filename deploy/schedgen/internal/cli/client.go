package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
)

// operator calls a running system as its operator.
type operator struct {
	url     string
	token   secret.String
	timeout time.Duration // of one call
}

// localAddress is where schedgen up listens on this machine, started with the same $PORT.
func localAddress() string {
	return "http://localhost:" + cmp.Or(os.Getenv("PORT"), "8080")
}

// mostAnswer is the longest answer that is read.
const mostAnswer = 64 << 20

// call sends a request without a body and decodes its answer, if into is not nil. A refusal is an error with the
// sentence of the answer; a page that something else shows is none, and is not printed.
func (o operator) call(ctx context.Context, method, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, o.url+path, nil)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+o.token.Reveal())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the running system: %w", err)
	}
	defer answer.Body.Close() // read below
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", o.url, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		var refusal api.Object
		if json.Unmarshal(body, &refusal) != nil || refusal.Message == "" {
			return fmt.Errorf("%s answered %s, which schedgen did not say: look whether a proxy in front of it did, and whether schedgen runs", o.url, answer.Status)
		}
		return fmt.Errorf("%s (%s)", refusal.Message, refusal.Error)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s did not answer as schedgen does (%w): check the address", o.url, err)
	}
	return nil
}
