package extract

import (
	"math"
	"slices"
)

// index finds the areas near a glyph: a grid over the page, of which each tile lists the areas that
// touch it in the order of painting. What touches many tiles is listed apart.
type index struct {
	areas  []area
	bounds box
	scaleX float64
	scaleY float64
	starts []int32 // of each tile's list in lists
	lists  []int32
	large  []int32
	found  []int32
	steps  int // how many areas were looked at
}

const (
	tilesAcross = 64
	manyTiles   = 256
)

// newIndex indexes the areas as far as they can matter to the glyphs.
func newIndex(areas []area, glyphs []drawn, styles []textStyle) *index {
	x := &index{areas: areas}
	if len(areas) == 0 || len(glyphs) == 0 {
		return x
	}
	x.bounds = box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, g := range glyphs {
		x.bounds = x.bounds.union(g.core(&styles[g.style]))
	}
	x.scaleX, x.scaleY = tilesAcross/(x.bounds.x1-x.bounds.x0), tilesAcross/(x.bounds.y1-x.bounds.y0)
	x.starts = make([]int32, tilesAcross*tilesAcross+1)
	x.each(func(tile int, _ int32) { x.starts[tile+1]++ }, func(i int32) { x.large = append(x.large, i) })
	for i := 1; i < len(x.starts); i++ {
		x.starts[i] += x.starts[i-1]
	}
	x.lists = make([]int32, x.starts[len(x.starts)-1])
	next := slices.Clone(x.starts)
	x.each(func(tile int, i int32) {
		x.lists[next[tile]] = i
		next[tile]++
	}, func(int32) {})
	return x
}

// each visits each tile of each area, or the area where it has many.
func (x *index) each(visit func(tile int, area int32), large func(area int32)) {
	for i := range x.areas {
		if !x.areas[i].box.touches(x.bounds) {
			continue
		}
		x0, y0, x1, y1 := x.tiles(x.areas[i].box)
		if (x1-x0+1)*(y1-y0+1) > manyTiles {
			large(int32(i))
			continue
		}
		for y := y0; y <= y1; y++ {
			for at := x0; at <= x1; at++ {
				visit(y*tilesAcross+at, int32(i))
			}
		}
	}
}

func (x *index) tiles(b box) (x0, y0, x1, y1 int) {
	return tileAt(b.x0-x.bounds.x0, x.scaleX), tileAt(b.y0-x.bounds.y0, x.scaleY),
		tileAt(b.x1-x.bounds.x0, x.scaleX), tileAt(b.y1-x.bounds.y0, x.scaleY)
}

func tileAt(distance, scale float64) int {
	at := distance * scale
	switch {
	case !(at > 0): // also where the page has no extent
		return 0
	case at >= tilesAcross:
		return tilesAcross - 1
	}
	return int(at)
}

// near are the areas that touch a box, in the order of painting; valid until the next call.
func (x *index) near(b box) []int32 {
	x.found = x.found[:0]
	if len(x.starts) == 0 {
		return nil
	}
	x0, y0, x1, y1 := x.tiles(b)
	lists := 0
	for y := y0; y <= y1; y++ {
		for at := x0; at <= x1; at++ {
			tile := y*tilesAcross + at
			list := x.lists[x.starts[tile]:x.starts[tile+1]]
			lists += min(len(list), 1)
			x.take(list, b)
		}
	}
	if len(x.large) > 0 {
		lists++
		x.take(x.large, b)
	}
	if lists > 1 {
		slices.Sort(x.found)
		x.found = slices.Compact(x.found)
	}
	return x.found
}

func (x *index) take(list []int32, b box) {
	x.steps += len(list)
	for _, i := range list {
		if x.areas[i].box.touches(b) {
			x.found = append(x.found, i)
		}
	}
}
