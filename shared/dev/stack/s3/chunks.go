package s3

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
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
		}{&chunks{in: bufio.NewReader(r.Body)}, r.Body}
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		r.Header.Del("X-Amz-Trailer")
	}
	if length >= 0 {
		r.ContentLength = length
		r.Header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	return nil
}

// chunks reads "<hex size>;chunk-signature=...\r\n<bytes>\r\n" until a chunk of size 0.
type chunks struct {
	in   *bufio.Reader
	left int64
	done bool
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.done {
			return 0, io.EOF
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.in.Read(p)
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && c.left == 0 {
		err = c.endOfChunk()
	}
	return n, err
}

// next reads a chunk's head; after the last chunk comes nothing but trailers, which end unread.
func (c *chunks) next() error {
	head, err := c.in.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read a chunk's head: %w", err)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(head)), ";")
	c.left, err = strconv.ParseInt(text, 16, 64)
	if err != nil || c.left < 0 {
		return errors.New("a chunk's size is not a number")
	}
	if c.left == 0 {
		c.done = true
		if _, err := io.Copy(io.Discard, io.LimitReader(c.in, 64<<10)); err != nil {
			return fmt.Errorf("read the end of the body: %w", err)
		}
	}
	return nil
}

// endOfChunk expects the line's end after a chunk's bytes.
func (c *chunks) endOfChunk() error {
	got, err := c.in.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read the end of a chunk: %w", err)
	}
	if string(got) != "\r\n" {
		return errors.New("a chunk is longer than its size")
	}
	return nil
}
