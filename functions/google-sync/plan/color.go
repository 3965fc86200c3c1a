package plan

import (
	"image/color"
	"strings"

	"golang.org/x/image/colornames"
)

// eventColors are Google Calendar's eleven colours of events, by the number in their id (one is first),
// as its page shows them: Lavender, Sage, Grape, Flamingo, Banana, Tangerine, Peacock, Graphite,
// Blueberry, Basil, Tomato.
var eventColors = [...]color.RGBA{
	{0x79, 0x86, 0xcb, 0xff}, {0x33, 0xb6, 0x79, 0xff}, {0x8e, 0x24, 0xaa, 0xff}, {0xe6, 0x7c, 0x73, 0xff},
	{0xf6, 0xbf, 0x26, 0xff}, {0xf4, 0x51, 0x1e, 0xff}, {0x03, 0x9b, 0xe5, 0xff}, {0x61, 0x61, 0x61, 0xff},
	{0x3f, 0x51, 0xb5, 0xff}, {0x0b, 0x80, 0x43, 0xff}, {0xd5, 0x00, 0x00, 0xff},
}

// ids are the ids of eventColors.
var ids = [len(eventColors)]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}

// palette gives the calendar model's own twelve colours different ones of Google's eleven, as far as they
// go: by nearness alone half of them would become the same, and modules are told apart by colour.
var palette = map[string]string{
	"steelblue": "7", "darkorange": "6", "seagreen": "10", "crimson": "11", "mediumpurple": "1", "goldenrod": "5",
	"teal": "7", "hotpink": "4", "saddlebrown": "3", "olivedrab": "2", "royalblue": "9", "slategray": "8",
}

// ColorID is the id of the event colour for a CSS3 colour name: its place in the palette, else the nearest;
// empty for what is no colour.
func ColorID(name string) string {
	if id, ok := palette[strings.ToLower(name)]; ok {
		return id
	}
	want, ok := colornames.Map[strings.ToLower(name)]
	if !ok {
		return ""
	}
	nearest, least := "", -1
	for i, c := range eventColors {
		if d := distance(want, c); least < 0 || d < least {
			nearest, least = ids[i], d
		}
	}
	return nearest
}

// distance is how different two colours look: Euclid's in RGB with the weights of the low-cost
// approximation in T. Riemersma, "Colour metric" (compuphase.com/cmetric.htm).
func distance(a, b color.RGBA) int {
	mean := (int(a.R) + int(b.R)) / 2
	r, g, bl := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return ((512+mean)*r*r)>>8 + 4*g*g + ((767-mean)*bl*bl)>>8
}
