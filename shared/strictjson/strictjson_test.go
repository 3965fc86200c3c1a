package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/strictjson"
)

// oneOrMany is a text or a list of texts.
type oneOrMany []string

func (oneOrMany) JSONForms() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[[]string]()}
}

func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

type base struct {
	Name string `json:"name" most:"5"`
}

type item struct {
	Deep *bool     `json:"deep"`
	When time.Time `json:"when"`
	Tags oneOrMany `json:"tags" most:"2" each:"3"`
}

type into struct {
	base
	Items  []item              `json:"items" most:"3"`
	Groups map[string][]string `json:"groups" most:"2" each:"4"`
	Small  int8                `json:"small"`
	Any    any                 `json:"any"`
	hidden int
}

var _ = into{}.hidden // no JSON reaches it, nor does anything else

func decode(body string) (v into, problem string) {
	err := strictjson.Decode(strings.NewReader(body), &v)
	var e *strictjson.Error
	if errors.As(err, &e) {
		return v, strings.TrimSpace(strings.Join([]string{e.Problem, e.Field, e.Expected}, " "))
	}
	if err != nil {
		return v, "other: " + err.Error()
	}
	return v, ""
}

func TestWhatIsWrongIsToldWithItsPath(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name":"ann","items":[{"deep":true,"tags":"a"},{"tags":["a","b"]}],"groups":{"a":["b"]},"small":-3,"any":{"x":[1,null]}}`: "",
		`{"NAME":"ann","Items":null}`:          "",
		` {} `:                                 "",
		`null`:                                 "",
		`[]`:                                   "type  object",
		`{"items":{}}`:                         "type items array",
		`{"items":[{},{"deep":1}]}`:            "type items[1].deep boolean",
		`{"items":[{"when":7}]}`:               "type items[0].when string",
		`{"small":300}`:                        "type small number",
		`{"small":1.5}`:                        "type small number",
		`{"nam":"x"}`:                          "unknown nam",
		`{"hidden":1}`:                         "unknown hidden",
		`{"base":{}}`:                          "unknown base",
		`{"items":[{},{"deeep":true}]}`:        "unknown items[1].deeep",
		`{"name":"a","name":"b"}`:              "duplicate name",
		`{"name":"a","Name":"b"}`:              "duplicate Name",
		`{"groups":{"a":[],"a":[]}}`:           "duplicate groups.a",
		`{"name":"abcdef"}`:                    "long name",
		`{"items":[{"tags":["abcd"]}]}`:        "long items[0].tags[0]",
		`{"items":[{},{},{},{}]}`:              "many items",
		`{"items":[{"tags":["a","b","c"]}]}`:   "many items[0].tags",
		`{"groups":{"a":[],"b":[],"c":[]}}`:    "many groups",
		`{"groups":{"abcde":[]}}`:              "long groups.abcde",
		`{"groups":{"a":["abcde"]}}`:           "long groups.a[0]",
		`{"any":` + strings.Repeat("[", 100):   "deep any" + strings.Repeat("[0]", 23),
		`{"any":"\u0000"}`:                     "nul any",
		`{"name":"a\u0000"}`:                   "nul name",
		"{\"name\":\"\xff\"}":                  "utf8",
		`{"name":"x"} {}`:                      "trailing",
		`{"name":"x"}x`:                        "trailing",
		`{"name":`:                             "syntax",
		`{"name" "x"}`:                         "syntax",
		`{"items":[}`:                          "syntax",
		``:                                     "syntax",
		`{"any":"` + strings.Repeat("x", 5000): "syntax",
		`{"any":"` + strings.Repeat("x", 5000) + `"}`: "long any",
	} {
		if _, got := decode(body); got != want {
			t.Errorf("%.80s: got %q, want %q", body, got, want)
		}
	}
}

func TestWhatIsRightIsDecoded(t *testing.T) {
	t.Parallel()
	got, problem := decode(`{"name":"ann","items":[{"tags":"a"},{"tags":["b","c"],"deep":false}],"groups":{"G":["x"]},"small":9}`)
	if problem != "" || got.Name != "ann" || fmt.Sprint(got.Items[0].Tags, got.Items[1].Tags, *got.Items[1].Deep, got.Groups, got.Small) != "[a] [b c] false map[G:[x]] 9" {
		t.Errorf("got %+v, %s", got, problem)
	}
}

func TestUnknownFieldsAreToldWithWhatMayBeMeant(t *testing.T) {
	t.Parallel()
	type form struct {
		ModuleColors  string `json:"moduleColors"`
		SemesterStart string `json:"semesterStart"`
		SemesterEnd   string `json:"semesterEnd"`
		Day           string `json:"day"`
		Name          string `json:"name"`
	}
	for name, want := range map[string]string{
		"module_colors": "moduleColors", "Module-Colors": "moduleColors", "moduleColours": "moduleColors", "modulColor": "moduleColors",
		"semester_start": "semesterStart", "semesterStrat": "semesterStart", "semester": "", "semesterSnd": "semesterEnd",
		"dya": "day", "days": "day", "da": "", "dog": "", "nmae": "name", "x": "", "": "", "colors": "", strings.Repeat("day", 200): "",
	} {
		var e *strictjson.Error
		err := strictjson.Decode(strings.NewReader(fmt.Sprintf("{%q:1}", name)), &form{})
		if !errors.As(err, &e) || e.Problem != strictjson.Unknown || e.Meant != want {
			t.Errorf("%.40s: got %+v, want %q", name, err, want)
		}
	}
}

// TestFirstWrongEntryEndsReading: what follows costs nothing, however much it is.
func TestFirstWrongEntryEndsReading(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"0,", "{},", "[],", `"",`} {
		body := &endless{text: `{"items":[` + strings.Repeat(entry, 2000)}
		var v into
		err := strictjson.Decode(body, &v)
		var e *strictjson.Error
		if !errors.As(err, &e) || body.read > 64<<10 {
			t.Errorf("%s...: %d bytes were read, then %v", entry, body.read, err)
		}
	}
}

// endless gives its text and then zeros for ever.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.text = e.text[n:]
	if n == 0 {
		n = copy(p, strings.Repeat("0", min(len(p), 4096)))
	}
	e.read += n
	return n, nil
}

func TestAnErrorOfTheBodyStaysItself(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, begin := range []string{"", `{"name":`, `{"name":"x"}`} {
		body := io.MultiReader(strings.NewReader(begin), errorReader{broken})
		if err := strictjson.Decode(body, &into{}); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", begin, err)
		}
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestForeignFieldsPass(t *testing.T) {
	t.Parallel()
	var v into
	body := `{"name":"longer than five","name":"again","new":{"a":[1,2,{"b":null}]},"items":[{"x":1}]}`
	if err := strictjson.Unmarshal([]byte(body), &v); err != nil || v.Name != "again" || len(v.Items) != 1 {
		t.Errorf("got %+v, %v", v, err)
	}
	for _, bad := range []string{`{"new":"\u0000"}`, `{"name":7}`, `{"new":` + strings.Repeat(`{"a":`, 100), `[` + strings.Repeat("0,", 100)} {
		if err := strictjson.Unmarshal([]byte(bad), &v); err == nil {
			t.Errorf("%.60s is taken", bad)
		}
	}
}

// FuzzDecode: what passes is what encoding/json makes of it, and nothing panics.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"ann","items":[{"tags":["b","c"],"deep":false,"when":"2026-01-02T03:04:05Z"}],"groups":{"G":["x"]},"small":9,"any":[{}]}`))
	f.Add([]byte(`{"name":"a"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want into
		if strictjson.Decode(strings.NewReader(string(body)), &got) != nil {
			return
		}
		if err := json.Unmarshal(body, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, encoding/json has %+v, %v", body, got, want, err)
		}
	})
}
