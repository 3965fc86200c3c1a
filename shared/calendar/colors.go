package calendar

import (
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
)

// palette holds colours that stay apart from each other on a white and on a black page.
var palette = []string{
	"steelblue", "darkorange", "seagreen", "crimson", "mediumpurple", "goldenrod",
	"teal", "hotpink", "saddlebrown", "olivedrab", "royalblue", "slategray",
}

// assignColors gives each module a colour: the chosen one, or one of the palette that its name picks
// and that no other module has, while there are any. A module keeps its colour when a choice leaves
// others out; to keep it when other modules come, pass it as chosen.
func assignColors(modules []string, chosen map[string]string) map[string]string {
	colors := maps.Clone(chosen)
	if colors == nil {
		colors = make(map[string]string, len(modules))
	}
	taken := make(map[int]bool, len(palette))
	for _, color := range chosen {
		if slot := slices.Index(palette, color); slot >= 0 {
			taken[slot] = true
		}
	}
	for _, module := range slices.Sorted(slices.Values(modules)) {
		if _, done := colors[module]; done {
			continue
		}
		h := fnv.New32a()
		h.Write([]byte(module)) // never fails
		slot := int(h.Sum32() % uint32(len(palette)))
		if len(taken) == len(palette) {
			clear(taken)
		}
		for taken[slot] {
			slot = (slot + 1) % len(palette)
		}
		taken[slot] = true
		colors[module] = palette[slot]
	}
	return colors
}

// googleColors are the CSS3 colours nearest to Google Calendar's colours of events (Lavender, Sage, Grape, Flamingo,
// Banana, Tangerine, Peacock, Graphite, Blueberry, Basil, Tomato), by Google's ids.
var googleColors = map[string]string{
	"1": "mediumpurple", "2": "mediumseagreen", "3": "darkorchid", "4": "lightcoral", "5": "gold", "6": "orangered",
	"7": "dodgerblue", "8": "dimgray", "9": "royalblue", "10": "seagreen", "11": "crimson",
}

// IsGoogleColor reports whether id is the id of one of Google Calendar's colours of events.
func IsGoogleColor(id string) bool { return googleColors[id] != "" }

// colorNames are the extended colour keywords of CSS Color Module Level 3, section 4.3, which
// RFC 7986 section 5.9 asks of COLOR.
const colorNames = `aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue
blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan
darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen
darkorange darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey
darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite
forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink
indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral
lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen
lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen magenta
maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue
mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin
navajowhite navy oldlace olive olivedrab orange orangered orchid palegoldenrod palegreen
paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple red rosybrown
royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray
slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke
yellow yellowgreen`

var colorSet = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range strings.Fields(colorNames) {
		set[name] = true
	}
	return set
})

func isColorName(s string) bool { return colorSet()[s] }
