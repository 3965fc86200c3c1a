package readiness

import (
	"strings"
	"testing"
)

// TestVariablesAreThoseOfDockerCompose has the forms of its documentation ("Interpolation").
func TestVariablesAreThoseOfDockerCompose(t *testing.T) {
	t.Parallel()
	known := map[string]string{"SET": "value", "EMPTY": ""}
	for text, want := range map[string]string{
		"plain": "plain", "$SET/x": "value/x", "${SET}": "value", "$$SET": "$SET", "$${SET}": "${SET}", "5$ and $": "5$ and $", "$NONE": "", "${NONE}": "",
		"${SET:-a}": "value", "${EMPTY:-a}": "a", "${EMPTY-a}": "", "${NONE-a}": "a", "${NONE:-${SET}-${EMPTY:-b}}!": "value-b!",
		"${SET:+a}": "a", "${EMPTY:+a}": "", "${EMPTY+a}": "a", "${NONE+a}": "", "x${SET:?why}": "xvalue",
		"x${EMPTY?why}": "x", "x${EMPTY:?why}y": "", "x${NONE?why}y": "",
	} {
		if got, err := interpolateText(text, known); got != want || err != nil {
			t.Errorf("%s: got %q and the error %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"$SET", "${NONE:-a}", "${SET:?}", "${SET:+a}"} {
		if got, err := interpolateText(text, nil); got != unknownSetting || err != nil {
			t.Errorf("%s, of settings that nobody named: got %q and the error %v", text, got, err)
		}
	}
	if got, err := interpolateText("${SET", known); err == nil {
		t.Errorf("a brace that is not closed: got %q, want an error", got)
	}
}

// TestASettingsFileIsReadAsDockerComposeReadsIt: what a container gets counts, not what is written.
func TestASettingsFileIsReadAsDockerComposeReadsIt(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`X=a`: "a", `export X=a`: "a", ` X = a `: "a", "X=a # why": "a", "X=a#b": "a#b", `X="a # b" # why`: "a # b", "X= # why": "", "X=\nX=b": "b",
		`X=a$b`: "a", `X=a$$b`: "a$b", `X='a$b'`: "a$b", `X="a$b"`: "a", "b=c\nX=a${b}": "ac", `X=${b:-d}`: "d", `X="a\"b"`: `a"b`, "X=\"a\nb\"": "a\nb",
	} {
		got, err := assignments(".env", []byte(line+"\n"), map[string]string{})
		if err != nil || got["X"] != want {
			t.Errorf("%s: got %q and the error %v, want %q", line, got["X"], err, want)
		}
	}
	for _, line := range []string{"X Y=hidden", `X="hidden`, "X=${hidden", "X=${Y:?hidden}"} {
		if _, err := assignments(".env", []byte("A=b\n"+line+"\n"), map[string]string{}); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got the error %v, want one that does not repeat the line", line, err)
		}
	}
}
