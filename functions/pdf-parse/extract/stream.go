package extract

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// stream is the decoded content of a stream object, nil where o is nil. Of one that is damaged it is as much
// as can be decoded, with an error.
func (d *document) stream(o types.Object) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	sd, ok := d.resolve(o).(types.StreamDict)
	if !ok {
		return nil, fmt.Errorf("%w: a stream cannot be found", ErrDamaged)
	}
	return decode(sd)
}

// decode undoes a stream's filters, one after the other.
func decode(sd types.StreamDict) ([]byte, error) {
	data := sd.Raw
	var damage error
	for i, f := range sd.FilterPipeline {
		var err error
		if f.Name == "FlateDecode" && f.DecodeParms == nil {
			data, err = inflate(data)
		} else {
			one := sd
			one.Raw, one.Content, one.FilterPipeline = data, nil, sd.FilterPipeline[i:i+1]
			err = one.DecodeWithLimit(maxStream)
			if f.Name == "FlateDecode" && err == nil { // which passes over an end that is missing
				_, err = inflate(data)
			}
			data = one.Content
		}
		if len(data) > maxStream {
			return nil, ErrTooComplex
		}
		if err != nil {
			damage = fmt.Errorf("%w: a stream cannot be read: %w", ErrDamaged, err)
		}
	}
	return data, damage
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

var errChecksum = errors.New("its checksum does not match")

// inflate undoes Flate (RFC 1950) as far as it can, and checks the sum where it is there.
func inflate(data []byte) ([]byte, error) {
	const head, sum = 2, 4
	if len(data) == 0 { // some programs leave it so where there is nothing
		return nil, nil
	}
	if len(data) < head {
		return nil, io.ErrUnexpectedEOF
	}
	in := bytes.NewReader(data[head:])
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	if err := z.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, 6*len(data)))
	if _, err := io.Copy(out, io.LimitReader(z, maxStream+1)); err != nil || out.Len() > maxStream {
		return out.Bytes(), err
	}
	if rest := data[len(data)-in.Len():]; len(rest) >= sum && binary.BigEndian.Uint32(rest) != adler32.Checksum(out.Bytes()) {
		return out.Bytes(), errChecksum
	}
	return out.Bytes(), nil
}

// contents is the page's content: an array of streams is one stream, split between tokens (7.8.2). What cannot be
// read of it is left out, and the page is not complete.
func (d *document) contents(page types.Dict) (content []byte, complete bool, err error) {
	array, ok := d.resolve(page["Contents"]).(types.Array)
	if !ok {
		content, err = d.stream(page["Contents"])
		if errors.Is(err, ErrTooComplex) {
			return nil, false, err
		}
		return content, err == nil, nil
	}
	var all []byte
	complete = true
	for _, part := range array {
		content, err := d.stream(part)
		if errors.Is(err, ErrTooComplex) {
			return nil, false, err
		}
		complete = complete && err == nil
		if all = append(append(all, content...), '\n'); len(all) > maxStream {
			return nil, false, ErrTooComplex
		}
	}
	return all, complete, nil
}
