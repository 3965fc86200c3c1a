package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// needServers are the commands whose examples need a server or a file that is not a PDF.
var needServers = regexp.MustCompile(`^(up|status|readiness|limits|migrate|backup|google rotate-keys|years (check|import|remove))\b`)

// TestEveryExampleRuns runs the examples of the help as a person pastes them, where no server is needed.
func TestEveryExampleRuns(t *testing.T) {
	// Its parts are parallel, not itself: while a program starts it holds what is open here, such as the
	// lock of a data directory that another test gives back.
	tried := map[string]bool{}
	texts := []string{runLine(t, nil, "--help").out}
	for _, c := range commands() {
		texts = append(texts, runLine(t, nil, c.name, "--help").out)
	}
	for _, text := range texts {
		for _, line := range examplesOf(text) {
			command, _, _ := strings.Cut(line, " ")
			if tried[command] = true; needServers.MatchString(line) {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				runExample(t, line)
			})
		}
	}
	for _, c := range commands() {
		if !tried[c.name] && c.name != "version" {
			t.Errorf("no example of schedgen %s was found", c.name)
		}
	}
}

var (
	example = regexp.MustCompile(`(?m)^  (?:[A-Z_]+=\S+ )?schedgen (.*)$`)
	remark  = regexp.MustCompile(`   .*$`) // a few words on the example, far to its right
	// word is what a shell takes for one, such as "COS 212=P02".
	word    = regexp.MustCompile(`"[^"]*"|\S+`)
	isFile  = regexp.MustCompile(`\.(pdf|ics|svg|json)$`)
	isGroup = regexp.MustCompile(`^[A-Z]{3} \d{3}=[A-Z]`)
)

// examplesOf gives the command lines of a help text, without the program.
func examplesOf(help string) []string {
	_, examples, _ := strings.Cut(help, "\nExamples:\n")
	examples, _, _ = strings.Cut(examples, "\nFlags:\n")
	var lines []string
	for _, match := range example.FindAllStringSubmatch(examples, -1) {
		lines = append(lines, strings.TrimSpace(remark.ReplaceAllString(match[1], "")))
	}
	return lines
}

// runExample runs a command line in a folder that holds the PDFs it speaks of. A group of the made-up
// lectures stands in for those of the example.
func runExample(t *testing.T, line string) {
	lectures, truth := generated(t, "--kind", "lecture", "--modules", "14")
	exams, _ := generated(t, "--kind", "exam")
	files := map[string]string{"timetable.pdf": lectures, "lectures.pdf": lectures, "exams.pdf": exams}
	module, group, _ := someChoice(truth)
	folder := t.TempDir()
	var args []string
	for _, arg := range word.FindAllString(line, -1) {
		arg = strings.Trim(arg, `"`)
		switch {
		case isGroup.MatchString(arg):
			arg = module + "=" + group
		case isFile.MatchString(arg) && args[len(args)-1] != "-o" && files[arg] != "":
			arg = files[arg]
		case isFile.MatchString(arg):
			arg = filepath.Join(folder, arg)
		}
		args = append(args, arg)
	}
	var in []byte
	if i := slices.Index(args, "<"); i >= 0 {
		var err error
		if in, err = os.ReadFile(args[i+1]); err != nil {
			t.Fatal(err)
		}
		args = slices.Delete(args, i, i+2)
	}
	if got := runLine(t, in, args...); got.code != exitOK {
		t.Errorf("schedgen %s: got %+v, want code 0", line, got)
	}
}
