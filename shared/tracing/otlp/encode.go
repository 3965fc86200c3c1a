package otlp

import (
	"encoding/json"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// encode writes spans of one resource as an ExportTraceServiceRequest in OTLP's JSON: ids in hexadecimal, names in camel
// case, 64-bit numbers as text, enumerations as numbers
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
//
// It appends, for a busy function sends hundreds of spans a second (BenchmarkEncode).
func encode(spans []sdktrace.ReadOnlySpan) []byte {
	out := append(make([]byte, 0, 256+640*len(spans)), `{"resourceSpans":[{"resource":{"attributes":`...)
	out = appendAttributes(out, spans[0].Resource().Attributes())
	out = append(out, `},"scopeSpans":[{"scope":{"name":`...)
	out = appendText(out, spans[0].InstrumentationScope().Name)
	out = append(out, `},"spans":[`...)
	for i, span := range spans {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendSpan(out, span)
	}
	return append(out, `]}]}]}`...)
}

// The flags of a span beside those of W3C: whether its parent is known to be of this process, or of another.
const (
	parentIsKnown  = 0x100
	parentIsRemote = 0x200
)

func appendSpan(out []byte, span sdktrace.ReadOnlySpan) []byte {
	context, parent := span.SpanContext(), span.Parent()
	out = appendIDs(append(out, '{'), context)
	if parent.SpanID().IsValid() {
		out = append(append(append(out, `,"parentSpanId":"`...), parent.SpanID().String()...), '"')
	}
	flags := uint64(context.TraceFlags()) | parentIsKnown
	if parent.IsRemote() {
		flags |= parentIsRemote
	}
	out = strconv.AppendUint(append(out, `,"flags":`...), flags, 10)
	out = appendText(append(out, `,"name":`...), span.Name())
	out = strconv.AppendInt(append(out, `,"kind":`...), int64(span.SpanKind()), 10) // the numbers are OTLP's
	out = strconv.AppendInt(append(out, `,"startTimeUnixNano":"`...), span.StartTime().UnixNano(), 10)
	out = strconv.AppendInt(append(out, `","endTimeUnixNano":"`...), span.EndTime().UnixNano(), 10)
	out = appendAttributes(append(out, `","attributes":`...), span.Attributes())
	out = appendLinks(out, span.Links())
	switch span.Status().Code {
	case codes.Ok:
		out = append(out, `,"status":{"code":1}`...)
	case codes.Error:
		out = append(out, `,"status":{"code":2}`...)
	}
	return append(out, '}')
}

// appendIDs names a span, within an object.
func appendIDs(out []byte, span trace.SpanContext) []byte {
	out = append(append(out, `"traceId":"`...), span.TraceID().String()...)
	return append(append(append(out, `","spanId":"`...), span.SpanID().String()...), '"')
}

func appendLinks(out []byte, links []sdktrace.Link) []byte {
	if len(links) == 0 {
		return out
	}
	out = append(out, `,"links":[`...)
	for i, link := range links {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendIDs(append(out, '{'), link.SpanContext), '}')
	}
	return append(out, ']')
}

func appendAttributes(out []byte, attributes []attribute.KeyValue) []byte {
	out = append(out, '[')
	for i, a := range attributes {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(append(out, `{"key":`...), string(a.Key))
		out = append(appendValue(append(out, `,"value":`...), a.Value), '}')
	}
	return append(out, ']')
}

func appendValue(out []byte, value attribute.Value) []byte {
	switch value.Type() {
	case attribute.BOOL:
		return append(strconv.AppendBool(append(out, `{"boolValue":`...), value.AsBool()), '}')
	case attribute.INT64:
		return append(strconv.AppendInt(append(out, `{"intValue":"`...), value.AsInt64(), 10), `"}`...)
	case attribute.FLOAT64:
		return append(appendNumber(append(out, `{"doubleValue":`...), value.AsFloat64()), '}')
	}
	return append(appendText(append(out, `{"stringValue":`...), value.String()), '}') // lists are none of ours
}

// appendNumber writes a number as JSON of protobuf has it: those that JSON lacks are text.
func appendNumber(out []byte, number float64) []byte {
	if text, err := json.Marshal(number); err == nil {
		return append(out, text...)
	}
	return append(strconv.AppendFloat(append(out, '"'), number, 'g', -1, 64), '"')
}

// appendText writes a string of JSON. Most need nothing escaped.
func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // of a string it never fails; bytes that are not UTF-8 become U+FFFD
			return append(out, quoted...)
		}
	}
	return append(append(append(out, '"'), text...), '"')
}
