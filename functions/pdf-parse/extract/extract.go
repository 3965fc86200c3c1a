// Package extract turns a PDF into what a reader sees of it: where each word stands and where each
// ruling runs, page by page. It knows nothing of timetables.
//
// Only what a reader sees counts. Content streams are interpreted as ISO 32000-1 says, whatever the order and
// choice of operators, so that the same page written by another program gives the same words and
// rulings. Text is left out that lies in a layer which is switched off, is transparent, clipped away, too
// small, covered by what is drawn later, or in the colour of what it is drawn on. Text of the
// last kind is kept apart, as Pale, because the university's producer prints half of a column so.
//
// Coordinates are units from the top left corner of the page as it is shown, x to the right, y down.
// The unit is relative to what is on the page: the document's body text is 10 units high, however large
// the page is drawn. So a distance means the same at any scale, with any /UserUnit, and where a reader
// of this package compares one with a constant, the constant is in tenths of an em of body text.
package extract

// Page is one page as it is shown, after its /Rotate and the prevailing direction of its text.
type Page struct {
	Number        int // 1-based
	Width, Height float64
	Words         []Word
	Pale          []Word // text in the colour of what it is drawn on: no reader sees it
	Notes         []Word // text of comments and form fields, which lie over the page
	Covered       []Word // text under something opaque: no reader sees it; Faint where one may know of it
	Rulings       []Ruling
	Incomplete    bool  // the file is damaged, or the page shows nothing between others that do: text may be missing
	Unordered     bool  // several pages were on this one, and little tells their order
	Frames        []Box // that drawing was clipped to: where several pages are on this one, each is in one
}

// Glyph is one drawn character.
type Glyph struct {
	Text   string  // what it stands for; a ligature is several letters; a space is " "; U+FFFD cannot be read
	X0, X1 float64 // the pen before and after it
	Y      float64 // baseline
	Size   float64 // height of the font's em square
	Colour Colour
	Unsure bool // the file leaves in doubt what it shows
	Faint  bool // whether a reader sees it is not certain
}

// Word is a run of glyphs on one baseline without a visible space.
type Word struct {
	Text   string
	X0, X1 float64
	Y      float64 // baseline
	Size   float64 // of its largest glyph
	Colour Colour  // of its first glyph
	Unsure bool    // the file leaves in doubt what it shows; so it does of U+FFFD
	Faint  bool    // whether a reader sees all of it is not certain
	Loose  bool    // some of its letters stand further apart than letters do: it may be two words
}

// Ruling is a drawn horizontal or vertical line, however it was drawn: stroked, or as a thin
// filled rectangle. X0 <= X1 and Y0 <= Y1; one of the two pairs is equal.
type Ruling struct {
	X0, Y0, X1, Y1 float64
	Thick          float64
	Colour         Colour
}

// Horizontal reports whether the ruling runs from left to right.
func (r Ruling) Horizontal() bool { return r.Y0 == r.Y1 }

// Limits of what a timetable can be; beyond them a document is refused.
const (
	MaxBytes   = 10 << 20
	MaxPages   = 100
	maxGlyphs  = 2_000_000 // over all pages
	maxOps     = 20_000_000
	maxStream  = 64 << 20    // one decoded stream
	maxContent = 256 << 20   // all interpreted content
	maxSights  = 100_000_000 // areas looked at for glyphs that they may hide
	maxForms   = 12          // nesting of form XObjects
	maxGState  = 512         // nesting of q
	maxPath    = 100_000     // segments of one path
	maxWord    = 1024        // bytes of one word
	maxFont    = 8 << 20     // of one CMap or font program
)
