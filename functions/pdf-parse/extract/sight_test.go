package extract

import (
	"bytes"
	"strings"
	"testing"
)

// TestSight holds what a reader sees of text: "x" is drawn plainly, "A" so that the case decides. It is
// seen where the case wants "A", "A?" says that this is not certain, and "(A)" that it is pale.
func TestSight(t *testing.T) {
	t.Parallel()
	const at = "BT /F 10 Tf 50 50 Td (A) Tj ET "
	tests := map[string]struct{ content, want string }{
		"black on paper":              {at, "A"},
		"white on paper":              {"1 g " + at, "(A)"},
		"nearly white":                {".99 g " + at, "(A)"},
		"white in RGB":                {"1 1 1 rg " + at, "(A)"},
		"white in CMYK":               {"0 0 0 0 k " + at, "(A)"},
		"white in Lab":                {"/Lab cs 100 0 0 scn " + at, "(A)"},
		"black in Lab":                {"/Lab cs 0 0 0 scn " + at, "A"},
		"white in ICCBased":           {"/ICC cs 1 1 1 scn " + at, "(A)"},
		"white in Indexed":            {"/Index cs 1 scn " + at, "(A)"},
		"black in Indexed":            {"/Index cs 0 scn " + at, "A"},
		"no ink of Separation":        {"/Sep cs 0 scn " + at, "(A)"},
		"all ink of Separation":       {"/Sep cs " + at, "A"},
		"ink None":                    {"/None cs 1 scn " + at, ""},
		"in a gradient":               {"/Pattern cs /Shade scn " + at, "A"},
		"in a white gradient":         {"/Pattern cs /Pale scn " + at, "(A)"},
		"in a tiling":                 {"/Pattern cs /Tile scn " + at, "A?"},
		"pale grey":                   {".8 g " + at, "A"},
		"hardly grey":                 {".95 g " + at, "A?"},
		"yellow":                      {"1 1 0 rg " + at, "A"},
		"white on black":              {"0 0 200 100 re f 1 g " + at, "A"},
		"white on a black row":        {"40 45 50 20 re f 1 g " + at, "A"},
		"white beside a black row":    {"40 5 50 20 re f 1 g " + at, "(A)"},
		"black on black":              {"40 45 50 20 re f " + at, "(A)"},
		"red on red":                  {"1 0 0 rg 40 45 50 20 re f " + at, "(A)"},
		"red on green":                {"0 1 0 rg 40 45 50 20 re f 1 0 0 rg " + at, "A"},
		"half on black":               {"0 0 53 100 re f 1 g " + at, "A?"},
		"white on a black polygon":    {"0 0 m 200 0 l 200 100 l 60 100 l f 1 g " + at, "A"},
		"white beside a polygon":      {"0 0 m 200 0 l 200 20 l f 1 g " + at, "(A)"},
		"white on a black circle":     {circle(53, 53, 20) + "f 1 g " + at, "A"},
		"white in a hole":             {"0 0 200 100 re 40 40 40 30 re f* 1 g " + at, "(A)"},
		"white on a thick line":       {"20 w 0 52 m 200 52 l S 1 g " + at, "A"},
		"white on a gradient":         {"/Dark sh 1 g " + at, "A"},
		"covered":                     {at + "1 g 40 45 50 20 re f", ""},
		"covered in black":            {at + "40 45 50 20 re f", ""},
		"covered in three parts":      {at + "1 g 50 45 2 20 re 52 45 3 20 re 55 45 3 20 re f", ""},
		"a letter covered":            {"BT /F 10 Tf 50 50 Td (AIA) Tj ET 1 0 0 RG 2.6 w 58.1 0 m 58.1 100 l S", "A?A?"},
		"a first letter covered":      {"BT /F 10 Tf 50 50 Td (IA) Tj ET 1 g 49 40 3.8 30 re f", "A?"},
		"a word covered":              {"BT /F 10 Tf 50 50 Td (A I) Tj ET 1 g 57 40 20 30 re f", "A?"},
		"covered by a polygon":        {at + "1 g 0 0 m 200 0 l 200 100 l 0 100 l 0 50 l f", ""},
		"covered by a thick line":     {at + "1 G 20 w 0 52 m 200 52 l S", ""},
		"covered by a slanted line":   {at + "1 G 30 w 0 0 m 106 106 l S", ""},
		"covered by a circle":         {at + "1 g " + circle(53, 53, 20) + "f", ""},
		"covered by a gradient":       {at + "/Dark sh", ""},
		"covered by an image":         {at + "q 60 0 0 40 30 40 cm /Im Do Q", ""},
		"covered by a turned image":   {at + "q 40 40 -40 40 53 10 cm /Im Do Q", ""},
		"covered by an inline image":  {at + "q 60 0 0 40 30 40 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q", ""},
		"image beside it":             {at + "q 60 0 0 40 80 40 cm /Im Do Q", "A"},
		"image with a clear mask":     {at + "q 60 0 0 40 30 40 cm /Clear Do Q", "A"},
		"image of no known kind":      {at + "q 60 0 0 40 30 40 cm /JPX Do Q", "A?"},
		"white on a black image":      {"q 60 0 0 40 30 40 cm /Im Do Q 1 g " + at, "A"},
		"black on a black image":      {"q 60 0 0 40 30 40 cm /Im Do Q " + at, "(A)"},
		"covered by a form":           {at + "/Cover Do", ""},
		"a hole in the cover":         {at + "1 g 0 0 200 100 re 40 40 40 30 re f*", "A"},
		"the cover is clipped":        {at + "q 0 0 40 100 re W n 1 g 0 0 200 100 re f Q", "A"},
		"clipped by a polygon":        {at + "q 0 0 m 40 0 l 0 100 l W n 1 g 0 0 200 100 re f Q", "A"},
		"half covered":                {at + "1 g 0 0 200 53.8 re f", "A?"},
		"struck out":                  {at + "50 53 8 1 re f", "A"},
		"underlined":                  {at + "50 48 8 1 re f", "A"},
		"highlighted by Multiply":     {at + "/Multiply gs 1 1 0 rg 40 45 50 20 re f", "A"},
		"highlighted, half clear":     {at + "/Half gs 1 1 0 rg 40 45 50 20 re f", "A"},
		"covered, hardly clear":       {at + "/Nearly gs 1 g 40 45 50 20 re f", ""},
		"a clear cover":               {at + "/None gs 1 g 40 45 50 20 re f", "A"},
		"screened":                    {at + "/Screen gs 1 g 40 45 50 20 re f", ""},
		"clear text":                  {"/None gs " + at, ""},
		"hardly inked":                {"/Trace gs " + at, ""},
		"half clear text":             {"/Half gs " + at, "A"},
		"clear group":                 {"/None gs /Group Do", ""},
		"half clear group":            {"/Half gs /Group Do", "A"},
		"behind a soft mask":          {"/Soft gs " + at, "A?"},
		"soft mask ended":             {"/Soft gs /NoSoft gs " + at, "A"},
		"behind a soft mask, a group": {"/Soft gs /Group Do", "A?"},
		"mode 3":                      {"3 Tr " + at, ""},
		"mode 7":                      {"7 Tr " + at, ""},
		"mode 7, filled":              {"q 7 Tr " + at + "0 0 200 100 re f Q", "A"},
		"mode 7, filled in white":     {"q 7 Tr " + at + "1 g 0 0 200 100 re f Q", "(A)"},
		"mode 1":                      {"1 Tr 1 g " + at, "A"},
		"mode 1, white":               {"1 Tr 1 G " + at, "(A)"},
		"mode 2, one of both":         {"2 Tr 1 g " + at, "A"},
		"text clipped by text":        {"q BT 7 Tr /F 10 Tf 120 50 Td (B) Tj ET 0 Tr " + at + "Q", ""},
		"tiny":                        {strings.ReplaceAll(at, "10 Tf", "1 Tf"), ""},
		"small":                       {strings.ReplaceAll(at, "10 Tf", "2 Tf"), "A?"},
		"small but readable":          {strings.ReplaceAll(at, "10 Tf", "4 Tf"), "A"},
		"no width":                    {"0 Tz " + at, ""},
		"hardly a width":              {"1 Tz " + at, ""},
		"no height":                   {"BT /F 10 Tf 1 0 0 0 50 50 Tm (A) Tj ET", ""},
		"outside the clip":            {"q 0 0 40 100 re W n " + at + "Q", ""},
		"inside the clip":             {"q 40 40 40 40 re W n " + at + "Q", "A"},
		"half inside the clip":        {"q 0 53.8 200 40 re W n " + at + "Q", "A?"},
		"cut at a space":              {"q 40 40 18 40 re W n BT /F 10 Tf 50 50 Td (A I) Tj ET Q", "A?"},
		"cut before a space":          {"q 58 40 18 40 re W n BT /F 10 Tf 50 50 Td (I A) Tj ET Q", "A?"},
		"a space cut off":             {"q 40 40 18 40 re W n BT /F 10 Tf 50 50 Td (A  ) Tj ET Q", "A"},
		"beside what is cut off":      {"q 40 40 18 40 re W n BT /F 10 Tf 50 50 Td (A) Tj 40 0 Td (I) Tj ET Q", "A"},
		"outside a polygon":           {"q 0 0 m 60 0 l 0 60 l W n " + at + "Q", ""},
		"inside a polygon":            {"q 0 0 m 200 0 l 0 200 l W n " + at + "Q", "A"},
		"an empty clip":               {"q W n " + at + "Q", ""},
		"clip of no area":             {"q 50 50 0 0 re W n " + at + "Q", ""},
		"layer off":                   {"/OC /Off BDC " + at + "EMC", ""},
		"layer on":                    {"/OC /On BDC " + at + "EMC", "A"},
		"layer in another":            {"/OC /Off BDC /OC /On BDC EMC " + at + "EMC", ""},
		"layer ended":                 {"/OC /Off BDC EMC " + at, "A"},
		"too many ends":               {"EMC EMC /OC /Off BDC EMC EMC " + at, "A"},
		"layer within a form":         {"/Open Do " + at, "A"},
		"form of a layer off":         {"/FormOff Do", ""},
		"image of a layer off":        {at + "q 60 0 0 40 30 40 cm /ImOff Do Q", "A"},
		"cover of a layer off":        {at + "/OC /Off BDC 1 g 40 45 50 20 re f EMC", "A"},
		"clip of a layer off":         {"q /OC /Off BDC 0 0 40 100 re W n EMC " + at + "Q", ""},
		"any on":                      {"/OC /AnyOn BDC " + at + "EMC", "A"},
		"all on":                      {"/OC /AllOn BDC " + at + "EMC", ""},
		"any off":                     {"/OC /AnyOff BDC " + at + "EMC", "A"},
		"all off":                     {"/OC /AllOff BDC " + at + "EMC", ""},
		"expression not":              {"/OC /Not BDC " + at + "EMC", ""},
		"expression and":              {"/OC /And BDC " + at + "EMC", ""},
		"expression or":               {"/OC /Or BDC " + at + "EMC", "A"},
		"expression of itself":        {"/OC /Loop BDC " + at + "EMC", "A"},
		"group of no kind":            {"/OC /Nothing BDC " + at + "EMC", "A"},
		"artifact":                    {"/Artifact BMC " + at + "EMC", "A"},
		"artifact with properties":    {"/Artifact << /Type /Layout >> BDC " + at + "EMC", "A"},
		"turned and covered":          {"q 0 1 -1 0 60 50 cm BT /F 10 Tf (A) Tj ET Q 1 g 40 45 50 20 re f", ""},
		"mirrored and covered":        {"q 1 0 0 -1 50 50 cm BT /F 10 Tf 1 0 0 -1 0 0 Tm (A) Tj ET Q 1 g 40 45 50 20 re f", ""},
		"mirrored, the cover below":   {"q 1 0 0 -1 50 50 cm BT /F 10 Tf 1 0 0 -1 0 0 Tm (A) Tj ET Q 1 g 40 39 50 10 re f", "A"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const plain = "BT /F 10 Tf 5 5 Td (xxxx) Tj ET "
			page := read(t, sightPage("q "+test.content+" Q 1 g 0 0 40 16 re f 0 g "+plain))
			if got := spellSight(page); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestMembershipWhileAllLayersAreOn holds that content may be hidden although no layer is off.
func TestMembershipWhileAllLayersAreOn(t *testing.T) {
	t.Parallel()
	for membership, want := range map[string]string{"AllOn": "A", "AnyOn": "A", "AnyOff": "", "AllOff": "", "Not": "", "On": "A"} {
		content := "BT /F 10 Tf 5 5 Td (xxxx) Tj ET /OC /" + membership + " BDC BT /F 10 Tf 50 50 Td (A) Tj ET EMC"
		page := read(t, bytes.ReplaceAll(sightPage(content), []byte("/OFF [5 0 R]"), []byte("/OFF [     ]")))
		if got := spellSight(page); got != want {
			t.Errorf("%s: got %q, want %q", membership, got, want)
		}
	}
}

func spellSight(page Page) string {
	got := ""
	for _, w := range page.Words {
		if strings.HasPrefix(w.Text, "x") || w.Text == "B" {
			continue
		}
		if got += w.Text; w.Faint {
			got += "?"
		}
	}
	for _, w := range page.Pale {
		got += "(" + w.Text + ")"
	}
	return got
}

// circle is a path of four curves.
func circle(x, y, r float64) string {
	k := 0.5523 * r
	return numbers(x+r, y) + "m " + numbers(x+r, y+k, x+k, y+r, x, y+r) + "c " + numbers(x-k, y+r, x-r, y+k, x-r, y) + "c " +
		numbers(x-r, y-k, x-k, y-r, x, y-r) + "c " + numbers(x+k, y-r, x+r, y-k, x+r, y) + "c "
}
