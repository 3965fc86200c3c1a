package table_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// TestCutOff holds that text beside an edge of the page that cuts the table is in doubt, and none where a
// border of the table lies on the edge, or where the table goes on there on the next page.
func TestCutOff(t *testing.T) {
	t.Parallel()
	last := "COS 214 Test1 Monday 04 Aug 2025 07:30 - 08:20 HATFIELD IT 4-4"
	for name, test := range map[string]struct {
		right, bottom float64 // of the page
		more          []string
		want          string
	}{
		"whole":               {600, 300, nil, ""},
		"below the last row":  {600, 122, nil, last},
		"through the venues":  {540, 300, nil, "IT 4-0 IT 4-1 IT 4-2 IT 4-3 IT 4-4"},
		"at the lower border": {600, 128, nil, ""},
		"at the right border": {560, 300, nil, ""},
		"goes on": {600, 122, append(grid(0, 48), "h 18", "h 48", "10: IT_4-5@480",
			"40: COS_300@20 Test1@100 Monday@160 04_Aug_2025@220 07:30_-_08:20@300 HATFIELD@400 IT_4-1@480"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := drawn(t, 1, testRows()...)
			asRuled(&p, t)
			pages := []extract.Page{cropped(p, test.right, test.bottom)}
			if test.more != nil {
				pages = append(pages, drawn(t, 2, test.more...))
			}
			found, err := table.Find(pages, schedule.Layouts())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(faint(found), " "); got != test.want {
				t.Errorf("in doubt: %q, want %q", got, test.want)
			}
		})
	}
}

// cropped is a page of which nothing is seen to the right of and below two places.
func cropped(p extract.Page, right, bottom float64) extract.Page {
	p.Width, p.Height = right, bottom
	p.Words = slices.DeleteFunc(p.Words, func(w extract.Word) bool { return (w.X0+w.X1)/2 > right || w.Y > bottom })
	for i := range p.Rulings {
		r := &p.Rulings[i]
		r.X1, r.Y1 = min(r.X1, right), min(r.Y1, bottom)
	}
	p.Rulings = slices.DeleteFunc(p.Rulings, func(r extract.Ruling) bool { return r.X0 > r.X1 || r.Y0 > r.Y1 })
	return p
}

// faint is the text of which it is not certain whether all is seen.
func faint(found table.Table) []string {
	var out []string
	for _, r := range found.Rows {
		for _, c := range r.Cells {
			for _, l := range c.Lines {
				if l.Faint {
					out = append(out, l.Text)
				}
			}
		}
	}
	return out
}
