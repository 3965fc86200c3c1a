package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Signature Version 4, as "Authenticating Requests: Using the Authorization Header" in the Amazon
// S3 API Reference describes it.
const (
	algorithm = "AWS4-HMAC-SHA256"
	timeForm  = "20060102T150405Z"
	maxSkew   = 15 * time.Minute
)

// credential is what an Authorization header claims.
type credential struct {
	accessKey, date, region, service string
	signedHeaders                    []string
	signature                        string
}

// authenticate lets only requests through that are signed with the secret key. The body is bound to
// the signature by its hash only where the client sent one; on one machine that is enough.
func authenticate(next http.Handler, accessKey, secretKey string, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claimed, ok := parseAuthorization(r.Header.Get("Authorization"))
		if !ok || claimed.accessKey != accessKey {
			refuse(w, r, "AccessDenied", "The request is not signed with a known access key.")
			return
		}
		when, err := time.Parse(timeForm, r.Header.Get("X-Amz-Date"))
		if err != nil || when.Format("20060102") != claimed.date || now().Sub(when).Abs() > maxSkew {
			refuse(w, r, "RequestTimeTooSkewed", "The request's time is too far from the server's.")
			return
		}
		if !slices.Contains(claimed.signedHeaders, "host") {
			refuse(w, r, "AccessDenied", "The signature does not cover the host.")
			return
		}
		want := sign(r, claimed, secretKey, when)
		if !hmac.Equal([]byte(want), []byte(claimed.signature)) {
			refuse(w, r, "SignatureDoesNotMatch", "The signature does not match the request.")
			return
		}
		if err := plainBody(r); err != nil {
			refuse(w, r, "InvalidRequest", err.Error())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// parseAuthorization reads "AWS4-HMAC-SHA256 Credential=.../.../.../.../aws4_request,
// SignedHeaders=a;b, Signature=...".
func parseAuthorization(header string) (c credential, ok bool) {
	rest, found := strings.CutPrefix(header, algorithm+" ")
	if !found {
		return c, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return c, false
			}
			c.accessKey, c.date, c.region, c.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			c.signedHeaders = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	return c, c.accessKey != "" && c.signature != "" && len(c.signedHeaders) > 0
}

// sign is the signature that the request should have.
func sign(r *http.Request, c credential, secretKey string, when time.Time) string {
	scope := strings.Join([]string{c.date, c.region, c.service, "aws4_request"}, "/")
	hash := sha256.Sum256([]byte(canonicalRequest(r, c.signedHeaders)))
	text := strings.Join([]string{algorithm, when.Format(timeForm), scope, hex.EncodeToString(hash[:])}, "\n")
	key := mac([]byte("AWS4"+secretKey), c.date)
	key = mac(mac(mac(key, c.region), c.service), "aws4_request")
	return hex.EncodeToString(mac(key, text))
}

// canonicalRequest is the request as both sides write it down.
func canonicalRequest(r *http.Request, signed []string) string {
	var headers strings.Builder
	for _, name := range signed {
		values := slices.Clone(r.Header.Values(name))
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{r.Header.Get("Content-Length")}
		}
		for i, value := range values {
			values[i] = strings.Join(strings.Fields(value), " ")
		}
		headers.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	// S3 encodes a path once, and keeps its slashes.
	path := escape(r.URL.Path, true)
	payload := r.Header.Get("X-Amz-Content-Sha256")
	return strings.Join([]string{r.Method, path, canonicalQuery(r.URL.Query()), headers.String(),
		strings.Join(signed, ";"), payload}, "\n")
}

// canonicalQuery is the query's parameters, encoded and sorted.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is AWS's UriEncode: everything but the unreserved characters of RFC 3986.
func escape(text string, keepSlash bool) string {
	const hexDigits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/' && keepSlash:
			out.WriteByte(c)
		default:
			out.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return out.String()
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// refuse answers with the error object of S3 what may not be done.
func refuse(w http.ResponseWriter, r *http.Request, code, message string) {
	w.Header().Set("Connection", "close") // the body stays unread
	writeError(w, r, http.StatusForbidden, code, message)
}

// writeError answers with the error object of S3.
func writeError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = xml.NewEncoder(w).Encode(struct { // a client that hung up needs no answer
		XMLName  xml.Name `xml:"Error"`
		Code     string
		Message  string
		Resource string
	}{Code: code, Message: message, Resource: r.URL.Path})
}
