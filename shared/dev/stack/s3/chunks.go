package s3

import (
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// plainBody undoes the encoding of a body that was signed in chunks ("Transferring Payload in
// Multiple Chunks", Amazon S3 API Reference), which gofakes3 knows only for whole objects. The
// chunks' own signatures are not checked: the request's was.
func plainBody(r *http.Request) error {
	length := r.ContentLength
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		decoded, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || decoded < 0 {
			return errors.New("X-Amz-Decoded-Content-Length is missing")
		}
		length = decoded
		r.Body = struct {
			io.Reader
			io.Closer
		}{httputil.NewChunkedReader(r.Body), r.Body} // a chunk's signature is an extension of RFC 9112
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		r.Header.Del("X-Amz-Trailer")
	}
	if length >= 0 {
		r.ContentLength = length
		r.Header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	return nil
}
