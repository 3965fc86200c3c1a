package readiness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/sirupsen/logrus"
)

// Docker Compose's own library reads the settings file and replaces variables here: a reader of ours would take for a
// value what no container is given. The library warns of each variable that is not set, in the log of the whole program,
// where nobody asked for it.
func init() { logrus.SetOutput(io.Discard) }

// unknownSetting stands for a value from a settings file that was not named.
const unknownSetting = "(of the settings file)"

var noSettings = notLooked{"the deployment takes this from the settings file, which was not named", "schedgen readiness --compose FILES --settings deploy/compose/.env"}

// lookup finds the values of variables. Without any settings each has a value that nobody knows.
func lookup(known map[string]string) func(name string) (value string, set bool) {
	return func(name string) (string, bool) {
		if known == nil {
			return unknownSetting, true
		}
		value, set := known[name]
		return value, set
	}
}

// commentForValue is a line that has a comment where its value belongs. Docker Compose takes the comment for the value.
var commentForValue = regexp.MustCompile(`(?m)^(\s*(?:export\s+)?\w+=)[ \t]*#.*$`)

// lineOf is the beginning of an error of a settings file. What follows repeats the line, which may hold a secret.
var lineOf = regexp.MustCompile(`^line \d+`)

// assignments reads the NAME=value lines of a file as Docker Compose does, with the variables in them. A comment is no
// value.
func assignments(name string, written []byte, known map[string]string) (map[string]string, error) {
	values, err := dotenv.ParseWithLookup(bytes.NewReader(commentForValue.ReplaceAll(written, []byte("$1"))), lookup(known))
	if err != nil {
		if line := lineOf.FindString(err.Error()); line != "" {
			name = line + " of " + name
		}
		return nil, fmt.Errorf("%s is not what Docker Compose can read: each line must be NAME=value", name)
	}
	return values, nil
}

// interpolated replaces the variables in all texts of a part of a deployment.
func interpolated(part map[string]any, known map[string]string) (map[string]any, error) {
	return interpolation.Interpolate(part, interpolation.Options{Substitute: func(text string, _ template.Mapping) (string, error) {
		return interpolateText(text, known)
	}})
}

// interpolateText replaces the variables of a text. Docker Compose refuses a text whose required variable is missing; here
// it is empty, so that the check of what needs it can say so.
func interpolateText(text string, known map[string]string) (string, error) {
	var options []template.Option
	if known == nil { // no default counts: the settings might say something else
		options = append(options, template.WithSubstitutionFunction(func(string, template.Mapping) (string, bool, error) {
			return unknownSetting, true, nil
		}))
	}
	value, err := template.SubstituteWithOptions(text, lookup(known), options...)
	var missing *template.MissingRequiredError
	if errors.As(err, &missing) {
		return "", nil
	}
	return value, err
}
