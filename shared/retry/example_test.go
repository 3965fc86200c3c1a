package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schedgen/schedgen/shared/retry"
)

func ExampleDo() {
	errBusy := errors.New("busy")
	passes := func(err error) bool { return errors.Is(err, errBusy) }
	calls := 0
	err := retry.Do(context.Background(), 4, time.Millisecond, passes, func() error {
		if calls++; calls < 3 {
			return errBusy
		}
		return nil
	})
	fmt.Println(calls, err)
	// Output: 3 <nil>
}
