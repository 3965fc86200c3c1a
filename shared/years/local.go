package years

import "github.com/schedgen/schedgen/shared/calendar"

// Local are the years without a database: those that the program ships, and those of a file, if one is named.
func Local(file string) (Snapshot, error) {
	var own calendar.Years
	if file != "" {
		var err error
		if own, err = ReadFile(file); err != nil {
			return Snapshot{}, err
		}
	}
	return *combined(own, databaseState{}), nil
}
