package faas

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// requestID is the caller's X-Request-Id if it is sane, else a new one. What is not sane could
// forge log lines.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) == 0 || len(id) > 128 {
		return randomHex(16)
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.:", c) >= 0) {
			return randomHex(16)
		}
	}
	return id
}

// trace is a W3C trace context: "00-<32 hex>-<16 hex>-<2 hex>".
type trace string

func (t trace) traceID() string { return string(t)[3:35] }

type traceKey struct{}

func withTrace(ctx context.Context, t trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Traceparent is the trace context of the request being served, to be sent on to whoever is called
// because of it; empty outside of a request.
func Traceparent(ctx context.Context) string {
	t, _ := ctx.Value(traceKey{}).(trace)
	return string(t)
}

// ContinueTrace returns ctx with the trace that an event carried, if it is one: work then belongs to
// the upload that caused it and not to the delivery.
func ContinueTrace(ctx context.Context, traceparent string) context.Context {
	if t, ok := parseTrace(traceparent); ok {
		return withTrace(ctx, child(t))
	}
	return ctx
}

// continueTrace continues the caller's trace with a span of our own, or begins one.
func continueTrace(r *http.Request) trace {
	if t, ok := parseTrace(r.Header.Get("Traceparent")); ok {
		return child(t)
	}
	return trace("00-" + randomHex(16) + "-" + randomHex(8) + "-01")
}

// child is the same trace with a new span.
func child(t trace) trace {
	return t[:36] + trace(randomHex(8)) + t[52:]
}

// parseTrace reads a traceparent as W3C Trace Context, section 3.2, asks: later versions may be
// longer, and are continued as version 00.
func parseTrace(header string) (trace, bool) {
	if len(header) < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-' {
		return "", false
	}
	version, id, parent, flags := header[:2], header[3:35], header[36:52], header[53:55]
	if !isHex(version) || !isHex(id) || !isHex(parent) || !isHex(flags) || version == "ff" {
		return "", false
	}
	if version == "00" && len(header) != 55 || len(header) > 55 && header[55] != '-' {
		return "", false
	}
	if strings.Trim(id, "0") == "" || strings.Trim(parent, "0") == "" {
		return "", false
	}
	return trace("00-" + id + "-" + parent + "-" + flags), true
}

// isHex says that text is lower-case hexadecimal.
func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdef") == ""
}

func randomHex(bytes int) string {
	buffer := make([]byte, bytes)
	_, _ = rand.Read(buffer) // never fails (crypto/rand)
	return hex.EncodeToString(buffer)
}
