package extract

import (
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// function is a function of a PDF (ISO 32000-1, 7.10); nil where it is of a kind that is not worked out here:
// PostScript, or sampled with several inputs.
type function func(in []float64) []float64

const maxFunctions = 4 // inside one another

func (d *document) function(o types.Object, depth int) function {
	if array, ok := d.resolve(o).(types.Array); ok {
		return d.functions(array, depth)
	}
	dict := d.dict(o)
	if dict == nil || depth > maxFunctions {
		return nil
	}
	kind, _ := d.number(dict["FunctionType"])
	switch kind {
	case 0:
		return d.sampled(o, dict)
	case 2:
		return d.exponential(dict)
	case 3:
		return d.stitched(dict, depth)
	}
	return nil
}

// functions are several of one output each.
func (d *document) functions(array types.Array, depth int) function {
	all := make([]function, 0, len(array))
	for _, item := range array {
		f := d.function(item, depth+1)
		if f == nil || depth > maxFunctions || len(all) > 8 {
			return nil
		}
		all = append(all, f)
	}
	return func(in []float64) []float64 {
		var out []float64
		for _, f := range all {
			out = append(out, f(in)...)
		}
		return out
	}
}

func (d *document) exponential(dict types.Dict) function {
	c0, c1 := d.numbers(dict["C0"]), d.numbers(dict["C1"])
	if len(c0) == 0 {
		c0 = []float64{0}
	}
	if len(c1) == 0 {
		c1 = []float64{1}
	}
	n, _ := d.number(dict["N"])
	if len(c0) != len(c1) {
		return nil
	}
	return func(in []float64) []float64 {
		x := 1.0
		if n != 0 {
			x = math.Pow(in[0], n)
		}
		out := make([]float64, len(c0))
		for i := range out {
			out[i] = c0[i] + x*(c1[i]-c0[i])
		}
		return out
	}
}

// sampled takes the sample nearest to its one input, of 8 bits each.
func (d *document) sampled(o types.Object, dict types.Dict) function {
	size, bits := d.numbers(dict["Size"]), 0.0
	bits, _ = d.number(dict["BitsPerSample"])
	outputs := len(d.numbers(dict["Range"])) / 2
	domain := d.numbers(dict["Domain"])
	decode := d.numbers(dict["Decode"])
	if len(decode) == 0 {
		decode = d.numbers(dict["Range"])
	}
	if len(size) != 1 || bits != 8 || outputs == 0 || len(decode) != 2*outputs || len(domain) != 2 || domain[1] <= domain[0] {
		return nil
	}
	samples := d.bytes(o)
	n := int(size[0])
	if n < 1 || len(samples) < n*outputs {
		return nil
	}
	return func(in []float64) []float64 {
		x := float64(clamp((in[0] - domain[0]) / (domain[1] - domain[0])))
		at := int(math.Round(x*float64(n-1))) * outputs
		out := make([]float64, outputs)
		for i := range out {
			out[i] = decode[2*i] + float64(samples[at+i])/255*(decode[2*i+1]-decode[2*i])
		}
		return out
	}
}

func (d *document) stitched(dict types.Dict, depth int) function {
	array, _ := d.resolve(dict["Functions"]).(types.Array)
	bounds, encode, domain := d.numbers(dict["Bounds"]), d.numbers(dict["Encode"]), d.numbers(dict["Domain"])
	if len(array) == 0 || len(array) > 64 || len(bounds) != len(array)-1 || len(encode) != 2*len(array) || len(domain) != 2 {
		return nil
	}
	all := make([]function, len(array))
	for i, item := range array {
		if all[i] = d.function(item, depth+1); all[i] == nil {
			return nil
		}
	}
	return func(in []float64) []float64 {
		k := 0
		for k < len(bounds) && in[0] >= bounds[k] {
			k++
		}
		lo, hi := domain[0], domain[1]
		if k > 0 {
			lo = bounds[k-1]
		}
		if k < len(bounds) {
			hi = bounds[k]
		}
		x := encode[2*k]
		if hi > lo {
			x += (in[0] - lo) / (hi - lo) * (encode[2*k+1] - encode[2*k])
		}
		return all[k]([]float64{x})
	}
}
