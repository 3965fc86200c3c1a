// Package seal compresses (Zstandard) and encrypts (age) streams to public keys. What it wrote it cannot read: only
// the identity, the secret key, opens it, and the operator keeps that elsewhere. Without schedgen the same is
// `age -d -i identity.txt | zstd -d`.
//
// Recipients and Identities read keys. Writer seals a stream; the stream is complete only after Close has returned no
// error. Reader opens one. It returns no byte that was not authenticated, and tells apart a wrong key (ErrWrongKey),
// a damaged stream (ErrDamaged) and a source that could not be read, whose error it returns as it is.
//
// Memory stays at some megabytes for a stream of any size.
package seal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// ErrWrongKey means that none of the identities opens a stream.
var ErrWrongKey = errors.New("seal: none of the identities opens this backup")

// ErrDamaged means that a stream is not what was sealed.
var ErrDamaged = errors.New("seal: the data is damaged")

// Recipients reads public keys (age1...). At least one is needed.
func Recipients(keys []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for _, key := range keys {
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		parsed, err := age.ParseRecipients(strings.NewReader(key))
		if err != nil {
			if strings.HasPrefix(key, "AGE-SECRET-KEY-") {
				return nil, errors.New("a recipient is a secret key: give the public one, which begins with age1")
			}
			return nil, fmt.Errorf("the recipient %q is not an age public key, which begins with age1", key)
		}
		all = append(all, parsed...)
	}
	if len(all) == 0 {
		return nil, errors.New("no recipient is given: make a key with age-keygen and name its public half")
	}
	return all, nil
}

// Identities reads the secret keys of a file that age-keygen wrote.
func Identities(path string) ([]age.Identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the identity: %w", err)
	}
	defer file.Close() // only read
	all, err := age.ParseIdentities(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s holds no age identity, which begins with AGE-SECRET-KEY-1", path) // its error may quote the key
	}
	return all, nil
}

// encoders are reused: each holds some megabytes.
var encoders = sync.Pool{New: func() any {
	// One goroutine and a window of 1 MiB: the compressor is not the bottleneck, and memory stays small.
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // only wrong options
	}
	return e
}}

// Writer seals what is written to it into dst. The stream is complete only after Close returned no error.
func Writer(dst io.Writer, recipients []age.Recipient) (io.WriteCloser, error) {
	sealed, err := age.Encrypt(dst, recipients...)
	if err != nil {
		return nil, fmt.Errorf("begin to encrypt: %w", err)
	}
	e := encoders.Get().(*zstd.Encoder)
	e.Reset(sealed)
	return &writer{e, sealed}, nil
}

type writer struct {
	*zstd.Encoder
	sealed io.WriteCloser
}

func (w *writer) Close() error {
	err := errors.Join(w.Encoder.Close(), w.sealed.Close())
	w.Encoder.Reset(nil)
	encoders.Put(w.Encoder)
	return err
}

// Reader opens what Writer sealed. ErrWrongKey and ErrDamaged may come from here or from Read, which
// gives no byte that was not authenticated.
func Reader(src io.Reader, identities []age.Identity) (io.ReadCloser, error) {
	source := &errorRecorder{Reader: src}
	plain, err := age.Decrypt(source, identities...)
	if err != nil {
		return nil, source.classify(err)
	}
	d, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, source.classify(err)
	}
	return &reader{d, source}, nil
}

type reader struct {
	d      *zstd.Decoder
	source *errorRecorder
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.d.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.source.classify(err)
	}
	return n, err
}

func (r *reader) Close() error { r.d.Close(); return nil }

// errorRecorder records the error of its source: a store that is down is not damage.
type errorRecorder struct {
	io.Reader
	err error
}

func (r *errorRecorder) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

func (r *errorRecorder) classify(err error) error {
	var noMatch *age.NoIdentityMatchError
	switch {
	case r.err != nil:
		return r.err
	case errors.As(err, &noMatch):
		return ErrWrongKey
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
