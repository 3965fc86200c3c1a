package jobs

import "bytes"

// escapedNull is U+0000 in JSON, which jsonb refuses.
const escapedNull = `\u0000`

// hasNull reports whether the JSON may contain an escaped U+0000.
func hasNull(body []byte) bool { return bytes.Contains(body, []byte(escapedNull)) }

// withoutNull drops U+0000 from the strings of a JSON text; a PDF may contain any character.
func withoutNull(body []byte) []byte {
	if !hasNull(body) {
		return body
	}
	kept := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		size := 1
		if body[i] == '\\' {
			size = 2 // an escaped backslash begins no other escape
		}
		if size == 2 && bytes.HasPrefix(body[i:], []byte(escapedNull)) {
			i += len(escapedNull)
			continue
		}
		end := min(i+size, len(body))
		kept = append(kept, body[i:end]...)
		i = end
	}
	return kept
}
