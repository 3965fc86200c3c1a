package uploadingest

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
)

// What a form may have beside its file. mime/multipart alone keeps ten megabytes of a part's header in memory.
const (
	maxParts  = 20
	maxHeader = 16 << 10 // bytes from the end of one part to the beginning of the next one's content
)

// errHeader is a part whose header does not end soon.
var errHeader = errors.New("a part's header is too long")

// formReader is a multipart body whose headers are bounded.
type formReader struct {
	parts *multipart.Reader
	body  *headerLimit
	part  *multipart.Part
	count int
}

func openForm(r *http.Request) (*formReader, error) {
	limited := &headerLimit{ReadCloser: r.Body, left: -1}
	r.Body = limited
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, api.New(api.MissingFile)
	}
	return &formReader{parts: parts, body: limited}, nil
}

// next gives the next part, or io.EOF. What is left of the one before is skipped, however long it is.
func (f *formReader) next() (*multipart.Part, error) {
	if f.part != nil {
		if _, err := io.Copy(io.Discard, f.part); err != nil {
			return nil, err
		}
	}
	if f.count++; f.count > maxParts {
		return nil, api.New(api.InvalidRequest, map[string]int{"most": maxParts}).
			WithMessage(fmt.Sprintf("The form has more than %d parts. Send the file alone.", maxParts))
	}
	f.body.left = maxHeader
	part, err := f.parts.NextPart()
	f.body.left = -1
	if errors.Is(err, errHeader) {
		return nil, api.New(api.InvalidRequest).Wrap(err).WithMessage("A part of the form has a header that is too long. Give the file a shorter name and try again.")
	}
	f.part = part
	return part, err
}

// headerLimit gives at most left bytes while that is not negative.
type headerLimit struct {
	io.ReadCloser
	left int
}

func (h *headerLimit) Read(p []byte) (int, error) {
	if h.left < 0 {
		return h.ReadCloser.Read(p)
	}
	if h.left == 0 {
		return 0, errHeader
	}
	n, err := h.ReadCloser.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}
