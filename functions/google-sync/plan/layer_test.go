package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
)

// TestLayersLieOverEachOther: each is "wanted / before / scopes", the oldest first; ! keeps what was written.
func TestLayersLieOverEachOther(t *testing.T) {
	t.Parallel()
	layer := func(text string) (l plan.Layer) {
		parts := strings.Split(strings.TrimPrefix(text, "!"), "/")
		for _, id := range strings.Fields(parts[0]) {
			e := event(id, text) // of the scope of all events here
			l.Wanted = append(l.Wanted, e)
		}
		l.Before, l.Keep = strings.Fields(parts[1]), strings.HasPrefix(text, "!")
		if parts[2] != "" {
			l.Scopes = []string{"lecture/2026/S1"}
		}
		return l
	}
	for _, c := range []struct{ layers, wanted, gone string }{
		{"", "", ""},
		{"a b/a b/", "a b", ""},
		{"a b x/a b/", "a b x", ""},             // a swap came
		{"a b/a b x/", "a b", "x"},              // and went
		{"a b/a b/;b c/b c/", "a b c", ""},      // events that a person sent, twice
		{"a b/a b x/;b/b/scope", "b", "a x"},    // a timetable authority for more than it lists
		{"a x/a x/;a/a x/", "x a", ""},          // the older one still wants it
		{"a/a x/;!x/x/", "a x", ""},             // what stays is not gone
		{"a b/a b/;!/b/", "a", ""},              // what stays is not written over
		{"!/a b/;b/b/scope", "b", ""},           // what stays is not deleted
		{"a/a/;/a/scope", "", "a"},              // nothing is left of it
		{"a/a/;b/b/scope;c/c/", "b c", "a"},     // what came later stays
		{"a b c/a b c/;c b/b c/", "a c b", ""},  // the newest is written
		{"a/a/;a/a/;a/a/", "a", ""},             // once each
		{"/a b/;/b c/;", "", "a b c"},           // and gone once each
		{"a/x/;/x y/;x/y/", "a x", "y"},         // what comes back is not gone
		{"a/a/scope;b/b/scope;a/a/", "b a", ""}, // each authority for what is older alone
	} {
		var layers []plan.Layer
		for text := range strings.SplitSeq(c.layers, ";") {
			if text != "" {
				layers = append(layers, layer(text))
			}
		}
		wanted, gone := plan.MergeLayers(layers)
		var ids []string
		for _, e := range wanted {
			newest := ""
			for _, l := range layers {
				for _, own := range l.Wanted {
					if own.ID == e.ID {
						newest = own.Location
					}
				}
			}
			if e.Location != newest {
				t.Errorf("%q: %s is that of %q", c.layers, e.ID, e.Location)
			}
			ids = append(ids, e.ID)
		}
		slices.Sort(gone)
		if strings.Join(ids, " ") != c.wanted || strings.Join(gone, " ") != c.gone {
			t.Errorf("%q wants %q without %q, want %q without %q", c.layers, ids, gone, c.wanted, c.gone)
		}
	}
}
