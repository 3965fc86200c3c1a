package retention_test

import (
	"fmt"
	"time"

	"github.com/schedgen/schedgen/functions/backup/retention"
)

// Three days keep one backup each, and so does each of two weeks.
func Example() {
	newest := time.Date(2026, 3, 13, 2, 0, 0, 0, time.UTC) // a Friday
	var all []retention.Backup
	for days := range 12 {
		at := newest.AddDate(0, 0, -days)
		all = append(all, retention.Backup{ID: at.Format("Mon 2 Jan"), At: at, Good: true})
	}
	expired := map[string]bool{}
	for _, id := range retention.Expired(all, retention.Policy{Daily: 3, Weekly: 2}, newest) {
		expired[id] = true
	}
	for _, b := range all {
		if !expired[b.ID] {
			fmt.Println("keep", b.ID)
		}
	}
	// Output:
	// keep Fri 13 Mar
	// keep Thu 12 Mar
	// keep Wed 11 Mar
	// keep Sun 8 Mar
}
