package readiness

import (
	"regexp"
	"strings"
)

// unknownSetting stands for what a settings file would say that was not named.
const unknownSetting = "(of the settings file)"

var noSettings = notLooked{"the deployment takes this from the settings file, which was not named", "schedgen readiness --compose FILES --settings deploy/compose/.env"}

// interpolated replaces the variables in all texts of a value.
func interpolated(value any, known map[string]string) any {
	switch v := value.(type) {
	case string:
		return interpolateText(v, known)
	case map[string]any:
		all := map[string]any{}
		for name, one := range v {
			all[name] = interpolated(one, known)
		}
		return all
	case []any:
		var all []any
		for _, one := range v {
			all = append(all, interpolated(one, known))
		}
		return all
	}
	return value
}

var variableName = regexp.MustCompile(`^[A-Za-z_]\w*`)

// interpolateText replaces $NAME, ${NAME}, and ${NAME} with :-, -, :?, ?, :+ or + and a text that may have variables too; $$
// is a $. Docker Compose refuses a text whose required variable is missing; here it is empty.
func interpolateText(text string, known map[string]string) string {
	var b strings.Builder
	for text != "" {
		before, rest, has := strings.Cut(text, "$")
		b.WriteString(before)
		if !has {
			break
		}
		name := variableName.FindString(rest)
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case name != "":
			b.WriteString(valueOf(name, known))
			text = rest[len(name):]
		case strings.HasPrefix(rest, "{"):
			inside, after := braced(rest[1:])
			value, there := inBraces(inside, known)
			if !there {
				return ""
			}
			b.WriteString(value)
			text = after
		default:
			b.WriteByte('$')
			text = rest
		}
	}
	return b.String()
}

// valueOf is a variable's value, or what stands for it where nobody told the settings.
func valueOf(name string, known map[string]string) string {
	if known == nil {
		return unknownSetting
	}
	return known[name]
}

// braced is what stands before the brace that closes, and what follows it.
func braced(text string) (inside, after string) {
	depth := 1
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// inBraces is the value of what stands in braces; there is none if it is required and missing.
func inBraces(inside string, known map[string]string) (value string, there bool) {
	name := variableName.FindString(inside)
	operator, other := strings.TrimPrefix(inside, name), ""
	value, set := known[name]
	if strings.HasPrefix(operator, ":") {
		set, operator = value != "", operator[1:]
	}
	if operator != "" {
		operator, other = operator[:1], operator[1:]
	}
	switch {
	case known == nil:
		return unknownSetting, true
	case operator == "-" && !set, operator == "+" && set:
		return interpolateText(other, known), true
	case operator == "?":
		return value, set
	case operator == "+":
		return "", true
	}
	return value, true
}
