package parse

import "github.com/schedgen/schedgen/shared/timetable"

// What a document can say, in bytes of text. 100 full pages say a quarter of it.
const (
	MaxText    = 1 << 20  // of all entries, with their warnings
	maxEntry   = 64 << 10 // of one entry
	maxField   = 16 << 10 // of one field: a cell
	maxEntries = 10_000
)

// fits reports whether a document is no more than a timetable can be.
func fits(doc timetable.Document) bool {
	if len(doc.Entries) > maxEntries {
		return false
	}
	total := 0
	for i := range doc.Entries {
		size := 0
		for _, text := range texts(&doc.Entries[i]) {
			if size += len(text); len(text) > maxField {
				return false
			}
		}
		if total += size; size > maxEntry || total > MaxText {
			return false
		}
	}
	return true
}

// texts are all texts of an entry, its warnings' included.
func texts(e *timetable.Entry) []string {
	all := e.Printed()
	for _, w := range e.Warnings {
		all = append(all, w.Code, w.Message)
	}
	return all
}
