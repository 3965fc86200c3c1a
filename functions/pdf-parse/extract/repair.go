package extract

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// sound reports whether the cross-reference table that was read agrees with where the file's objects are,
// and each stream with its length. The library reads on where they do not, and loses objects without a word.
func sound(xref *model.XRefTable, pdf []byte, objects []indirect) bool {
	for number, entry := range xref.Table {
		if entry == nil || entry.Free || entry.Compressed || entry.Offset == nil || *entry.Offset == 0 {
			continue
		}
		at := int(*entry.Offset)
		for at >= 0 && at < len(pdf) && isSpace(pdf[at]) {
			at++
		}
		i, ok := slices.BinarySearchFunc(objects, at, func(o indirect, at int) int { return o.start - at })
		if !ok || objects[i].number != number || objects[i].misfit || objects[i].damaged {
			return false
		}
	}
	end := bytes.LastIndex(pdf, []byte("%%EOF"))
	return end >= 0 && (len(objects) == 0 || objects[len(objects)-1].start < end) && tablesFound(pdf, objects)
}

// tablesFound reports whether the file's last words say where its cross-reference table is, and each table where
// the one before it is. Where they do not the library looks for the objects itself, and forgets that they may be
// encrypted.
func tablesFound(pdf []byte, objects []indirect) bool {
	i := bytes.LastIndex(pdf, []byte("startxref"))
	if i < 0 || !tableAt(pdf, objects, pdf[i+len("startxref"):min(len(pdf), i+40)]) {
		return false
	}
	found := true
	previous := func(dict []byte) {
		if at := valueOf(dict, "/Prev"); at != nil {
			found = found && tableAt(pdf, objects, at)
		}
	}
	for _, part := range bytes.Split(pdf, []byte("trailer"))[1:] {
		dict, _, _ := bytes.Cut(part, []byte("startxref"))
		previous(dict)
	}
	for _, o := range objects {
		if o.isTable(pdf) {
			previous(pdf[o.body:o.end])
		}
	}
	return found
}

// tableAt reports whether a cross-reference table is in the place that a text gives.
func tableAt(pdf []byte, objects []indirect, text []byte) bool {
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		return false
	}
	at, err := strconv.Atoi(string(fields[0]))
	if err != nil || at < 0 || at >= len(pdf) {
		return false
	}
	for at < len(pdf) && isSpace(pdf[at]) {
		at++
	}
	k, found := slices.BinarySearchFunc(objects, at, func(o indirect, at int) int { return o.start - at })
	return bytes.HasPrefix(pdf[at:], []byte("xref")) || found && objects[k].isTable(pdf)
}

// renumber gives objects the number that the cross-reference table has for them, where the one before them says
// otherwise and belongs to another object, or to none.
func renumber(objects []indirect, xref *model.XRefTable) {
	pointed := func(number int) int {
		entry := xref.Table[number]
		if entry == nil || entry.Free || entry.Compressed || entry.Offset == nil {
			return -1
		}
		i, ok := slices.BinarySearchFunc(objects, int(*entry.Offset), func(o indirect, at int) int { return o.start - at })
		if !ok {
			return -1
		}
		return i
	}
	for _, number := range slices.Sorted(maps.Keys(xref.Table)) {
		i := pointed(number)
		if i < 0 || objects[i].number == number {
			continue
		}
		other := objects[i].number
		if k := pointed(other); xref.Table[other] == nil || k >= 0 && k != i && objects[k].number == other {
			objects[i].number = number
		}
	}
}

// ambiguous reports whether two objects of one revision go by the same number: one of them lost its own.
func ambiguous(pdf []byte, objects []indirect) bool {
	last := map[int]indirect{}
	for _, o := range objects {
		if was, ok := last[o.number]; ok && !bytes.Contains(pdf[was.end:o.start], []byte("%%EOF")) {
			return true
		}
		last[o.number] = o
	}
	return false
}

// repaired writes the objects that were found anew, each as its newest copy that is complete, with a
// cross-reference table that is right. What lies in object streams is read by the caller.
func repaired(pdf []byte, objects []indirect) []byte {
	newest := map[int]indirect{}
	for _, o := range objects {
		if was, ok := newest[o.number]; !ok || !o.damaged || was.damaged {
			newest[o.number] = o
		}
	}
	t := readTrailers(pdf, objects)
	t.keepCatalog(pdf, objects, newest)
	if t.encrypt == nil {
		t.encrypt = encryption(pdf, newest)
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := map[int]int{}
	for _, number := range slices.Sorted(maps.Keys(newest)) {
		o := newest[number]
		if o.isTable(pdf) {
			continue
		}
		offsets[number] = out.Len()
		if lock, _, ok := referenceOf(t.encrypt); ok && lock == number {
			fmt.Fprintf(&out, "%d %d obj\n%s\nendobj\n", number, o.generation, withKeyLength(pdf[o.body:o.end]))
			continue
		}
		o.write(&out, pdf, t.encrypt != nil)
	}
	if t.root == nil {
		t.root = catalog(pdf, newest)
	}
	t.write(&out, offsets, newest)
	return out.Bytes()
}

// keepCatalog has no other object that goes by the catalog's number hide it.
func (t trailer) keepCatalog(pdf []byte, objects []indirect, newest map[int]indirect) {
	root, _, _ := referenceOf(t.root)
	for _, o := range objects {
		if o.number == root && string(valueOf(pdf[o.body:o.end], "/Type")) == "/Catalog" {
			newest[root] = o
		}
	}
}

// isTable reports whether the object is a cross-reference stream.
func (o indirect) isTable(pdf []byte) bool {
	return o.data > 0 && string(valueOf(pdf[o.body:o.end], "/Type")) == "/XRef"
}

// write copies an object; a stream gets the length that its data have.
func (o indirect) write(out *bytes.Buffer, pdf []byte, encrypted bool) {
	fmt.Fprintf(out, "%d %d obj\n", o.number, o.generation)
	if o.data == 0 {
		out.Write(bytes.TrimSpace(pdf[o.body:o.end]))
		out.WriteString("\nendobj\n")
		return
	}
	data := pdf[o.data:o.dataEnd]
	if o.misfit || !endsStream(pdf[o.dataEnd:]) {
		data = withoutEnd(data, encrypted)
	}
	dict := withLength(bytes.TrimSpace(pdf[o.body:o.end]), len(data))
	out.Write(dict)
	out.WriteString("\nstream\n")
	out.Write(data)
	out.WriteString("\nendstream\nendobj\n")
}

// withLength is a dictionary with a /Length.
func withLength(dict []byte, n int) []byte {
	if from, to, ok := valueAt(dict, "/Length"); ok {
		return slices.Concat(dict[:from], []byte(strconv.Itoa(n)), dict[to:])
	}
	return slices.Concat([]byte("<< /Length "+strconv.Itoa(n)+" "), bytes.TrimPrefix(dict, []byte("<<")))
}

// withKeyLength is an encryption dictionary whose lengths are those that AES-128 always has.
func withKeyLength(dict []byte) []byte {
	const filters, filter = "/CF", "/StdCF"
	if string(valueOf(dict, "/V")) != "4" || !bytes.Contains(dict, []byte("/AESV2")) {
		return dict
	}
	dict = withLength(bytes.TrimSpace(dict), 128)
	from, to, _ := valueAt(dict, filters)
	within, end, ok := valueAt(dict[from:to], filter)
	if !ok {
		return dict
	}
	return slices.Concat(dict[:from+within], withLength(dict[from+within:from+end], 16), dict[from+end:])
}

// withoutEnd is data without the end of line before "endstream". Encrypted data are whole blocks.
func withoutEnd(data []byte, encrypted bool) []byte {
	for range 2 {
		n := len(data)
		if n == 0 || data[n-1] != '\n' && data[n-1] != '\r' || encrypted && n%16 == 0 {
			break
		}
		lineFeed := data[n-1] == '\n'
		if data = data[:n-1]; !lineFeed {
			break
		}
	}
	if n := len(data) % 16; encrypted && n != 0 && len(data) > 16 {
		data = data[:len(data)-n] // what is left of the last block says nothing
	}
	return data
}

// trailer is what a file's trailers say, the newest first.
type trailer struct {
	root, encrypt, id []byte
}

// readTrailers reads trailers and the dictionaries of cross-reference streams.
func readTrailers(pdf []byte, objects []indirect) trailer {
	var t trailer
	end := len(pdf)
	for {
		i := bytes.LastIndex(pdf[:end], []byte("trailer"))
		if i < 0 {
			break
		}
		t.take(pdf[i+len("trailer") : end])
		end = i
	}
	for _, o := range slices.Backward(objects) {
		if o.isTable(pdf) {
			t.take(pdf[o.body:o.end])
		}
	}
	return t
}

func (t *trailer) take(dict []byte) {
	for key, value := range map[string]*[]byte{"/Root": &t.root, "/Encrypt": &t.encrypt, "/ID": &t.id} {
		if v := valueOf(dict, key); *value == nil && isTerminated(v) && bytes.IndexByte(v, 0) < 0 {
			*value = v
		}
	}
}

// isTerminated reports whether a value of a trailer has its end: the file may have lost it.
func isTerminated(value []byte) bool {
	_, _, ok := referenceOf(value)
	return ok || bytes.HasPrefix(value, []byte("[")) && bytes.HasSuffix(value, []byte("]")) ||
		bytes.HasPrefix(value, []byte("<<")) && bytes.HasSuffix(value, []byte(">>"))
}

// catalog is a reference to the document's catalog where no trailer has one.
func catalog(pdf []byte, objects map[int]indirect) []byte {
	for _, o := range objects {
		if o.data == 0 && string(valueOf(pdf[o.body:o.end], "/Type")) == "/Catalog" {
			return fmt.Appendf(nil, "%d %d R", o.number, o.generation)
		}
	}
	return nil
}

// encryption is a reference to the dictionary of the standard security handler (7.6.3.2).
func encryption(pdf []byte, objects map[int]indirect) []byte {
	for _, o := range objects {
		dict := pdf[o.body:o.end]
		if o.data == 0 && string(valueOf(dict, "/Filter")) == "/Standard" && valueOf(dict, "/O") != nil && valueOf(dict, "/U") != nil {
			return fmt.Appendf(nil, "%d %d R", o.number, o.generation)
		}
	}
	return nil
}

// write ends the file. The catalog may be one that says nothing, until the object streams are read.
func (t trailer) write(out *bytes.Buffer, offsets map[int]int, objects map[int]indirect) {
	numbers := slices.Sorted(maps.Keys(offsets))
	size := 1
	if len(numbers) > 0 {
		size = numbers[len(numbers)-1] + 1
	}
	if number, _, ok := referenceOf(t.root); !ok || offsets[number] == 0 {
		numbers = append(numbers, size)
		offsets[size] = out.Len()
		fmt.Fprintf(out, "%d 0 obj\n<< /Type /Catalog >>\nendobj\n", size)
		t.root = fmt.Appendf(nil, "%d 0 R", size)
		size++
	}
	if t.encrypt != nil && bytes.HasPrefix(t.encrypt, []byte("<<")) {
		numbers = append(numbers, size)
		offsets[size] = out.Len()
		fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", size, t.encrypt)
		t.encrypt = fmt.Appendf(nil, "%d 0 R", size)
		size++
	}
	start := out.Len()
	out.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for _, n := range numbers {
		fmt.Fprintf(out, "%d 1\n%010d %05d n \n", n, offsets[n], objects[n].generation)
	}
	fmt.Fprintf(out, "trailer\n<< /Size %d /Root %s", size, t.root)
	if t.encrypt != nil {
		fmt.Fprintf(out, " /Encrypt %s", t.encrypt)
	}
	if t.id != nil {
		fmt.Fprintf(out, " /ID %s", t.id)
	}
	fmt.Fprintf(out, " >>\nstartxref\n%d\n%%%%EOF\n", start)
}

// referenceOf reads "1 0 R".
func referenceOf(text []byte) (number, generation int, ok bool) {
	f := bytes.Fields(text)
	if len(f) != 3 || string(f[2]) != "R" {
		return 0, 0, false
	}
	number, err1 := strconv.Atoi(string(f[0]))
	generation, err2 := strconv.Atoi(string(f[1]))
	return number, generation, err1 == nil && err2 == nil
}

// unpack puts what lies in object streams into the table of a file that was repaired (7.5.7), where no object of
// that number stands by itself.
func (d *document) unpack(ctx context.Context) {
	packed := map[int]types.Object{}
	for _, n := range slices.Sorted(maps.Keys(d.xref.Table)) {
		if dict := d.dict(reference(n)); d.name(dict["Type"]) == "ObjStm" {
			d.unpackOne(ctx, n, dict, packed)
		}
	}
	generation := 0
	for n, o := range packed {
		if entry := d.xref.Table[n]; entry != nil && !entry.Free && entry.Object != nil {
			continue
		}
		d.xref.Table[n] = &model.XRefTableEntry{Generation: &generation, Object: o}
		if dict, ok := o.(types.Dict); ok && d.name(dict["Type"]) == "Catalog" {
			ref := reference(n)
			d.xref.Root, d.xref.RootDict = &ref, dict
		}
	}
}

// unpackOne reads one object stream as far as it goes.
func (d *document) unpackOne(ctx context.Context, number int, dict types.Dict, packed map[int]types.Object) {
	content, _ := d.stream(reference(number))
	first, _ := d.number(dict["First"])
	if int(first) <= 0 || int(first) > len(content) {
		return
	}
	fields := bytes.Fields(content[:int(first)])
	for i := 0; i+1 < len(fields); i += 2 {
		n, err1 := strconv.Atoi(string(fields[i]))
		at, err2 := strconv.Atoi(string(fields[i+1]))
		if err1 != nil || err2 != nil || at < 0 || at >= len(content)-int(first) {
			return
		}
		end := len(content)
		if i+3 < len(fields) {
			if next, err := strconv.Atoi(string(fields[i+3])); err == nil && next >= at && next < end-int(first) {
				end = int(first) + next
			}
		}
		text := string(content[int(first)+at : end])
		if o, err := model.ParseObjectContext(ctx, &text, 0, maxNesting); err == nil && o != nil {
			packed[n] = o
		}
	}
}
