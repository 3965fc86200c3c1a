package extract

import (
	"fmt"
	"strings"
	"testing"
)

// spellText writes words with their doubts: "text" or "text?".
func spellText(words []Word) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = strings.ReplaceAll(w.Text, unreadable, "#")
		if w.Unsure {
			parts[i] += "?"
		}
	}
	return strings.Join(parts, " ")
}

// toUnicode is a ToUnicode stream that maps codes as bfchar and bfrange say.
func toUnicode(mappings string) string {
	return stream("", "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"+mappings+"\nendcmap end")
}

const (
	plainFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 5 0 R >>"
	bareFont  = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
	identity0 = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 5 0 R /DescendantFonts [<< /Subtype /CIDFontType2 /DW 500 >>] >>"
)

// TestEveryGlyphIsReadOrTold holds that what a file says of its glyphs is read where it is sure, and never dropped
// or taken for something else without a mark of doubt ("?"; "#" cannot be read).
func TestEveryGlyphIsReadOrTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		font, text string // text is an operand of Tj
		more       []string
		want       string
	}{
		// ToUnicode without a real character, beside an encoding that has one.
		"NUL":                       {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <0000> endbfchar")}, "12"},
		"nothing":                   {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <> endbfchar")}, "12"},
		"private use":               {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <E031> endbfchar")}, "12"},
		"a private plane":           {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <DBBFDFFD> endbfchar")}, "12"},
		"a control":                 {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <0007> endbfchar")}, "12"},
		"a line feed":               {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <000A> endbfchar")}, "12"},
		"half a surrogate pair":     {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <D800> endbfchar")}, "12"},
		"no character":              {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <FFFE> endbfchar")}, "12"},
		"the replacement character": {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <FFFD> endbfchar")}, "12"},
		"a joiner":                  {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <200B> endbfchar")}, "12"},
		"unassigned":                {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <0378> endbfchar")}, "12"},
		"a book":                    {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <" + strings.Repeat("0041", 1<<12) + "> endbfchar")}, "12"},
		"a range of NUL":            {plainFont, "(12)", []string{toUnicode("1 beginbfrange <31> <31> <0000> endbfrange")}, "12"},
		"an array with a hole":      {plainFont, "(12)", []string{toUnicode("1 beginbfrange <31> <32> [ <> <0032> ] endbfrange")}, "12"},
		"an array too short":        {plainFont, "(12)", []string{toUnicode("1 beginbfrange <31> <32> [ <0031> ] endbfrange")}, "12"},
		"a range upside down":       {plainFont, "(12)", []string{toUnicode("1 beginbfrange <39> <30> <0030> endbfrange")}, "12"},
		"codes of two bytes":        {plainFont, "(12)", []string{toUnicode("1 beginbfrange <0030> <0039> <0030> endbfrange")}, "12"},
		"a name":                    {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> /one endbfchar")}, "12"},
		"text of one byte":          {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <31> endbfchar")}, "12"},
		"a minus":                   {plainFont, "(1-2)", []string{toUnicode("1 beginbfchar <2D> <2212> endbfchar")}, "1-2"},
		"full width":                {plainFont, "(12)", []string{toUnicode("1 beginbfrange <30> <39> <FF10> endbfrange")}, "12"},
		"bold of mathematics":       {plainFont, "(12)", []string{toUnicode("1 beginbfrange <30> <39> <D835DFCE> endbfrange")}, "12"},
		"Cyrillic":                  {plainFont, "(COS)", []string{toUnicode("2 beginbfchar <43> <0421> <4F> <041E> endbfchar")}, "COS"},
		"garbage":                   {plainFont, "(12)", []string{stream("", "\x00\xff<<<[[(beginbfchar")}, "12"},
		"cut off":                   {plainFont, "(12)", []string{stream("", "1 beginbfchar <31> <00")}, "12"},
		"ranges within ranges":      {plainFont, "(12)", []string{toUnicode("2 beginbfrange <00> <ff> <0000> <31> <39> <0031> endbfrange")}, "12"},
		// ToUnicode that contradicts what is drawn.
		"another digit":           {plainFont, "(12)", []string{toUnicode("1 beginbfchar <31> <0032> endbfchar")}, "12?"},
		"all digits moved by one": {plainFont, "(08:30)", []string{toUnicode("1 beginbfrange <30> <38> <0031> endbfrange")}, "08:30?"},
		"a letter for a digit":    {plainFont, "(10)", []string{toUnicode("1 beginbfchar <30> <004F> endbfchar")}, "10?"},
		"a space for a digit":     {plainFont, "(10)", []string{toUnicode("1 beginbfchar <30> <0020> endbfchar")}, "10?"},
		"a raised digit":          {plainFont, "(12)", []string{toUnicode("1 beginbfchar <32> <00B2> endbfchar")}, "12?"},
		"a half":                  {plainFont, "(1)", []string{toUnicode("1 beginbfchar <31> <00BD> endbfchar")}, "1?"},
		"a letter for a space":    {plainFont, "(1 2)", []string{toUnicode("1 beginbfchar <20> <0041> endbfchar")}, "1#2?"},
		// Nothing but ToUnicode.
		"two bytes":              {identity0, "<00010002>", []string{toUnicode("2 beginbfchar <0001> <0031> <0002> <0032> endbfchar")}, "12"},
		"two bytes, one missing": {identity0, "<000100020003>", []string{toUnicode("2 beginbfchar <0001> <0031> <0003> <0032> endbfchar")}, "1#2?"},
		"two bytes, one NUL":     {identity0, "<00010002>", []string{toUnicode("2 beginbfchar <0001> <0000> <0002> <0032> endbfchar")}, "#2?"},
		"two bytes, map of one":  {identity0, "<00010002>", []string{toUnicode("2 beginbfchar <01> <0031> <02> <0032> endbfchar")}, "12"},
		"two bytes, raised":      {identity0, "<00010002>", []string{toUnicode("2 beginbfchar <0001> <0031> <0002> <00B2> endbfchar")}, "1²"},
		"two bytes, no map":      {identity0, "<00010002>", []string{stream("", "")}, "##?"},
		"two bytes, an accent":   {identity0, "<00010002>", []string{toUnicode("2 beginbfchar <0001> <0065> <0002> <0301> endbfchar")}, "é"},
		"two bytes, a joiner":    {strings.Replace(identity0, "/DW 500", "/DW 500 /W [2 [0]]", 1), "<000100020001>", []string{toUnicode("2 beginbfchar <0001> <0031> <0002> <200D> endbfchar")}, "11"},
		"a joiner that is wide":  {identity0, "<000100020001>", []string{toUnicode("2 beginbfchar <0001> <0031> <0002> <200D> endbfchar")}, "1#1?"},
		"codes that are Unicode": {strings.Replace(identity0, "/Identity-H /ToUnicode 5 0 R", "/UniJIS-UCS2-H", 1), "<00310032>", nil, "12"},
		"vertical":               {strings.Replace(identity0, "Identity-H", "Identity-V", 1), "<0001>", []string{toUnicode("1 beginbfchar <0001> <0031> endbfchar")}, "1?"},
		// Names of glyphs.
		"names":                     {simpleFont("/Differences [1 /one /uni0032 /u0033 /four.alt /five_six /sevenoldstyle]"), "<010203040506>", nil, "1234567"},
		"unknown names":             {simpleFont("/Differences [1 /one /g23 /cid_5]"), "<01020103>", nil, "1#1#?"},
		"raised names":              {simpleFont("/Differences [1 /one /two.sups /twosuperior]"), "<0102 20 0103>", nil, "1#? 1²"},
		"a name that is the code":   {simpleFont("/Differences [49 /a49 /g32 /x50]"), "(12)", nil, "12?"},
		".notdef":                   {simpleFont("/Differences [1 /one /.notdef /two]"), "<010203>", nil, "1 2"},
		"names, some NUL":           {strings.Replace(simpleFont("/Differences [1 /one /two]"), ">>", "/ToUnicode 5 0 R >>", 1), "<0102>", []string{toUnicode("1 beginbfchar <01> <0000> endbfchar")}, "12"},
		"a control without a glyph": {bareFont, "(1\\r2\\0013)", nil, "123"},
		// Encodings.
		"MacRoman":              {strings.Replace(bareFont, "WinAnsi", "MacRoman", 1), "(caf\\216 1)", nil, "café 1"},
		"MacExpert":             {strings.Replace(bareFont, "WinAnsi", "MacExpert", 1), "(cos 12)", nil, "COS 12"},
		"Symbol":                {"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>", "(S12)", nil, "Σ12"},
		"dingbats":              {"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>", "(1)", nil, "#?"},
		"embedded, of its own":  {"<< /Type /Font /Subtype /Type1 /BaseFont /ABCDEF+X /FontDescriptor << /FontFile3 6 0 R >> >>", "(12)", []string{"null", stream("", "?")}, "12?"},
		"embedded and symbolic": {"<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+X /Encoding /WinAnsiEncoding /FontDescriptor << /Flags 4 /FontFile2 6 0 R >> >>", "(12)", []string{"null", stream("", "?")}, "12?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := fmt.Sprintf("BT /F 10 Tf 10 80 Td %s Tj ET", test.text)
			page := read(t, onePage(content, "/Font << /F "+test.font+" >>", "", test.more...))
			if got := spellText(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// simpleFont is a font that is not embedded, with an encoding of its own.
func simpleFont(encoding string) string {
	return "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << " + encoding + " >> /FirstChar 1 /Widths [500 500 500 500 500 500] >>"
}

// TestActualText holds for every form in which a file gives glyphs a text of its own.
func TestActualText(t *testing.T) {
	t.Parallel()
	const garbled = "/Span << /ActualText (12) >> BDC <0102> Tj EMC"
	tests := map[string]struct{ content, attributes, want string }{
		"a literal":               {garbled, "", "12"},
		"UTF-16":                  {"/Span << /ActualText <FEFF00310032> >> BDC <0102> Tj EMC", "", "12"},
		"UTF-8":                   {"/Span << /ActualText (\\357\\273\\277caf\\303\\251) >> BDC <01020304> Tj EMC", "", "café"},
		"named":                   {"/Span /P BDC <0102> Tj EMC", "/Properties << /P << /ActualText (12) >> >>", "12"},
		"in the structure":        {"/P << /MCID 1 >> BDC <0102> Tj EMC", "", "##?"},
		"one of several":          {"(0) Tj /Span << /ActualText (1) >> BDC <01> Tj EMC (2) Tj", "", "012"},
		"over several strings":    {"/Span << /ActualText (123) >> BDC <01> Tj <02> Tj <03> Tj EMC", "", "123"},
		"nested":                  {"/Span << /ActualText (123) >> BDC <01> Tj /Span << /ActualText (9) >> BDC <02> Tj EMC <03> Tj EMC <01> Tj", "", "123#?"},
		"inside another sequence": {"/P BMC /Span << /ActualText (12) >> BDC <0102> Tj EMC EMC <01> Tj", "", "12#?"},
		"left open":               {"/Span << /ActualText (12) >> BDC <0102> Tj", "", "12"},
		"closed too often":        {"EMC EMC " + garbled + " EMC", "", "12"},
		"more letters":            {"/Span << /ActualText (ffi) >> BDC <01> Tj EMC", "", "ffi"},
		"more words":              {"/Span << /ActualText (COS 214) >> BDC <0102030405> Tj EMC", "", "COS 214"},
		"letters and spaces":      {"/Span << /ActualText (1 2) >> BDC <010203> Tj EMC", "", "1 2"},
		"only spaces":             {"(1) Tj /Span << /ActualText (  ) >> BDC <0102> Tj EMC (2) Tj", "", "1 2"},
		"spaces for a digit":      {"/Span << /ActualText ( ) >> BDC (2) Tj EMC", "", "2?"},
		"fewer letters":           {"/Span << /ActualText (1) >> BDC <0102> Tj EMC", "", "1"},
		"far apart":               {"/Span << /ActualText (123) >> BDC <01> Tj 40 0 Td <02> Tj EMC", "", "#? #?"},
		"as drawn":                {"/Span << /ActualText (12) >> BDC (12) Tj EMC", "", "12"},
		"a ligature as drawn":     {"/Span << /ActualText <FEFFFB01> >> BDC (fi) Tj EMC", "", "fi"},
		"a minus as drawn":        {"/Span << /ActualText <FEFF2212> >> BDC (-) Tj EMC", "", "-"},
		"otherwise than drawn":    {"/Span << /ActualText (13) >> BDC (12) Tj EMC", "", "13?"},
		"nothing for a hyphen":    {"(a) Tj /Span << /ActualText () >> BDC (-) Tj EMC", "", "a-"},
		"a soft hyphen":           {"(a) Tj /Span << /ActualText <FEFF00AD> >> BDC (-) Tj EMC", "", "a-"},
		"nothing for a digit":     {"(1) Tj /Span << /ActualText () >> BDC (2) Tj EMC", "", "12?"},
		"NUL":                     {"/Span << /ActualText <FEFF00000031> >> BDC (12) Tj EMC", "", "12"},
		"private use":             {"/Span << /ActualText <FEFFE0310031> >> BDC <0102> Tj EMC", "", "##?"},
		"a number":                {"/Span << /ActualText 5 >> BDC (12) Tj EMC", "", "12"},
		"a book":                  {"/Span << /ActualText (" + strings.Repeat("1", maxActualText+1) + ") >> BDC (12) Tj EMC", "", "12"},
		"far too much":            {"/Span << /ActualText (" + strings.Repeat("1", 40) + ") >> BDC (12) Tj EMC", "", "12?"},
		"without glyphs":          {"/Span << /ActualText (12) >> BDC EMC (34) Tj", "", "34"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			font := "/Font << /F " + simpleFont("/BaseEncoding /WinAnsiEncoding /Differences [1 /g1 /g2 /g3 /g4 /g5]") + " >> "
			page := read(t, onePage("BT /F 10 Tf 10 80 Td "+test.content+" ET", font+test.attributes, ""))
			if got := spellText(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestActualTextOfTheStructure holds where the structure tree, not the content, gives the text.
func TestActualTextOfTheStructure(t *testing.T) {
	t.Parallel()
	font := simpleFont("/BaseEncoding /WinAnsiEncoding /Differences [1 /g1 /g2 /g3]")
	pdf := build("<< /Type /Catalog /Pages 2 0 R /StructTreeRoot << /ParentTree << /Kids [<< /Limits [0 9] /Nums [3 [null 5 0 R 6 0 R]] >>] >> >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /StructParents 3 /Resources << /Font << /F "+font+" >> >> >>",
		stream("", "BT /F 10 Tf 10 80 Td /Span << /MCID 1 >> BDC <01> Tj EMC /Span << /MCID 2 >> BDC <02> Tj EMC /P << /MCID 0 >> BDC (3) Tj EMC /P << /MCID 7 >> BDC (4) Tj EMC ET"),
		"<< /S /Span /ActualText (12) /K [1] >>", "<< /S /Span /P 5 0 R /K [2] >>")
	if got, want := spellText(read(t, pdf).Words), "1234"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
