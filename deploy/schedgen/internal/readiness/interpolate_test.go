package readiness

import "testing"

// TestVariablesAreThoseOfDockerCompose has the forms of its documentation ("Interpolation").
func TestVariablesAreThoseOfDockerCompose(t *testing.T) {
	t.Parallel()
	known := map[string]string{"SET": "value", "EMPTY": ""}
	for text, want := range map[string]string{
		"plain": "plain", "$SET/x": "value/x", "${SET}": "value", "$$SET": "$SET", "$${SET}": "${SET}", "5$ and $": "5$ and $", "$NONE": "", "${NONE}": "",
		"${SET:-a}": "value", "${EMPTY:-a}": "a", "${EMPTY-a}": "", "${NONE-a}": "a", "${NONE:-${SET}-${EMPTY:-b}}!": "value-b!",
		"${SET:+a}": "a", "${EMPTY:+a}": "", "${EMPTY+a}": "a", "${NONE+a}": "", "x${SET:?why}": "xvalue",
		"x${EMPTY?why}": "x", "x${EMPTY:?why}y": "", "x${NONE?why}y": "", "${SET": "value",
	} {
		if got := interpolateText(text, known); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"$SET", "${NONE:-a}", "${SET:?}"} {
		if got := interpolateText(text, nil); got != unknownSetting {
			t.Errorf("%s, of settings that nobody named: got %q", text, got)
		}
	}
}
