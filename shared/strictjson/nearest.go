package strictjson

import "strings"

// nearest is the field that the writer of an unknown name may have meant: one that differs only in case and in what
// parts its words, or in so few letters that it is a slip. It is empty where there is none, or more than one.
func (o object) nearest(name string) string {
	const longest = 40 // letters; who writes more means something else
	plain := normalizedName(name)
	if len(plain) > longest {
		return ""
	}
	best, found := slips(plain)+1, map[string]bool{}
	for _, f := range o.fields {
		n := distance(plain, normalizedName(f.name))
		if n < best {
			best = n
			clear(found)
		}
		if n == best && best <= slips(plain) {
			found[f.name] = true
		}
	}
	if len(found) == 1 {
		for name := range found {
			return name
		}
	}
	return ""
}

// slips are how many letters of a name may be wrong.
func slips(name string) int { return min(2, len(name)/4+len(name)%4/3) }

// normalizedName is a name in lower case, without what parts its words.
func normalizedName(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// distance is how many letters must be added, taken away, changed or swapped with the next to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for k := range last {
		last[k] = k
	}
	for i := range len(a) {
		row[0] = i + 1
		for k := range len(b) {
			change := last[k]
			if a[i] != b[k] {
				change++
			}
			row[k+1] = min(change, last[k+1]+1, row[k]+1)
			if i > 0 && k > 0 && a[i] == b[k-1] && a[i-1] == b[k] {
				row[k+1] = min(row[k+1], before[k-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
