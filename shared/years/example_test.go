package years_test

import (
	"fmt"

	"github.com/schedgen/schedgen/shared/years"
)

// A calendar's stamp names the years that it was made by. It is stale once one of them is corrected.
func Example() {
	known, err := years.Local("") // without a database or a file: the years that the program ships
	if err != nil {
		fmt.Println(err)
		return
	}
	stamp := known.Stamp(known.Numbers())
	fmt.Println("stale:", known.Stale(stamp))

	corrected := years.Snapshot{Years: nil} // none of the years is as it was
	fmt.Println("stale after a correction:", corrected.Stale(stamp))
	// Output:
	// stale: false
	// stale after a correction: true
}
