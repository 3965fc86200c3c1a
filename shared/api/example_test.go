package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/schedgen/schedgen/shared/api"
)

// A handler returns a value or an error. The error's code decides status and sentence.
func ExampleHandler() {
	handler := api.Handler(func(r *http.Request) (any, error) {
		if r.URL.Path == "/api/jobs/1" {
			return map[string]string{"status": "completed"}, nil
		}
		return nil, api.New(api.JobNotFound)
	})
	for _, path := range []string{"/api/jobs/1", "/api/jobs/2"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(answer.Code)
	}
	fmt.Println(api.Sentence(api.JobNotFound))
	// Output:
	// 200
	// 404
	// We cannot find this upload. It may have been deleted: upload your PDF again.
}

// What is no *api.Error stays inside: a caller sees a code of the table.
func ExampleFrom() {
	err := fmt.Errorf("read the choices: %w", os.ErrDeadlineExceeded)
	fmt.Println(api.From(err).Code, api.From(err).Status())
	// Output: TIMEOUT 504
}
