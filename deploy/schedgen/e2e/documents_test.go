package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// whyNot are the reasons for which a block of a document is not run here, each with what such a block has in it. The
// document says so in the line above the block: <!-- not run: a cluster, a domain -->.
var whyNot = map[string]*regexp.Regexp{
	"a cluster":        regexp.MustCompile(`\b(kubectl|kube|helm|ko|faas-cli)\b|make deploy-`),
	"Docker":           regexp.MustCompile(`\bdocker\b|\bcompose\b`),
	"a domain":         regexp.MustCompile(`\bexample\.org\b|\.example\b`),
	"root on a server": regexp.MustCompile(`\b(apt-get|ufw|timedatectl|chronyc|dmesg|chown|systemctl)\b`),
	"the internet":     regexp.MustCompile(`https://|\bnpx\b`),
	"minutes":          regexp.MustCompile(`\bmake (test|load|setup|run|build|bench|release)\b|\bgo run\b`),
	"it serves":        regexp.MustCompile(`schedgen up|make run|port-forward`),
	"your own names":   regexp.MustCompile(`/(TOKEN|ID)\b|\$(KEY|ID)\b|\bmine\.json\b|=P02"`),
	"a record":         regexp.MustCompile(`(?m)^\$ `),
}

// block is a fenced block of a document.
type block struct {
	line           int
	language, text string
	why            string // it is not run, "" if it is
}

func (b block) isRun() bool { return b.language == "sh" && b.why == "" }

var fenced = regexp.MustCompile("(?m)(?:^ *<!-- not run: (.*) -->\n)?^ *```(\\w*)\n((?s:.*?))^ *```$")

func blocksOf(text string) []block {
	var all []block
	for _, at := range fenced.FindAllStringSubmatchIndex(text, -1) {
		b := block{line: 1 + strings.Count(text[:at[4]], "\n"), language: text[at[4]:at[5]], text: text[at[6]:at[7]]}
		if at[2] >= 0 {
			b.why = text[at[2]:at[3]]
		}
		all = append(all, b)
	}
	return all
}

// documents are those of the project's root and of docs, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	project := os.DirFS(root)
	names, err := fs.Glob(project, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(project, "docs", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		all[name] = string(readFile(t, name))
	}
	if all["README.md"] == "" || all["docs/runbooks/README.md"] == "" {
		t.Fatalf("got %v, want the project's documents", names)
	}
	return all
}

// TestCommandsOfDocumentsAreReal reads each command that a document gives, run here or not: it is a shell's, and names
// commands and flags that schedgen has, targets that make has, and files that are there.
func TestCommandsOfDocumentsAreReal(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	known := vocabulary{program: filepath.Join(dir, "schedgen"), makefile: string(readFile(t, "Makefile")), flags: map[string]string{}}
	for name, text := range documents(t) {
		blocks := blocksOf(text)
		for i, b := range blocks {
			at := fmt.Sprintf("%s:%d", name, b.line)
			expectReason(t, at, b)
			if b.isRun() {
				expectSeen(t, at, b, i+1 < len(blocks) && blocks[i+1].language == "output")
			}
			for _, script := range b.scripts() {
				known.expectScript(t, at, script)
			}
		}
		for _, span := range inline.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			first, _, _ := strings.Cut(span[1], " && ")
			known.expect(t, name, strings.Fields(strings.NewReplacer("[", " ", "]", " ", "|", " ").Replace(first)))
		}
	}
}

// inline is a command in the middle of a sentence.
var inline = regexp.MustCompile("`((?:bin/)?(?:schedgen|make|scripts/[a-z-]+\\.sh) [^`]+)`")

func expectReason(t *testing.T, at string, b block) {
	t.Helper()
	if b.why == "" {
		if strings.HasPrefix(b.text, "$ ") {
			t.Errorf("%s: a session is either run, as a block of sh without its answers, or marked as a record", at)
		}
		return
	}
	for reason := range strings.SplitSeq(b.why, ", ") {
		if has := whyNot[reason]; has == nil || !has.MatchString(b.text) {
			t.Errorf("%s is not run for want of %q, and nothing in it wants that", at, reason)
		}
	}
}

// expectSeen fails the test if a command of a block that is run could fail without being seen: the shell goes on after the
// first of "a && b", an exit hides all blocks that follow, and curl takes a refusal for an answer, which only the block's
// output tells.
func expectSeen(t *testing.T, at string, b block, hasOutput bool) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(b.text), at)
	if err != nil {
		return // which is told where all blocks are read
	}
	for _, statement := range file.Stmts {
		switch command := statement.Cmd.(type) {
		case *syntax.BinaryCmd:
			if command.Op == syntax.AndStmt {
				t.Errorf("%s: write what follows && on a line of its own", at)
			}
		case *syntax.CallExpr:
			if len(command.Args) > 0 && command.Args[0].Lit() == "exit" {
				t.Errorf("%s: exit would end all that follows", at)
			}
		}
	}
	for line := range strings.Lines(b.text) {
		if call := curl.FindString(line); call != "" && !hasOutput && !failing.MatchString(call) && !wantsFailure.MatchString(strings.TrimSpace(line)) {
			t.Errorf("%s: let curl fail (-f), or say in a block \"output\" what it prints: %s", at, strings.TrimSpace(line))
		}
	}
}

var (
	curl    = regexp.MustCompile(`\bcurl [^|]*`)
	failing = regexp.MustCompile(` -[a-zA-Z]*f| --fail`)
	// wantsFailure is a line that shows what is broken, or waits for it.
	wantsFailure = regexp.MustCompile(`^until |\|\| true$`)
)

// scripts are the commands of a block: all of it, or what follows each prompt of a record.
func (b block) scripts() []string {
	if b.language == "sh" {
		return []string{b.text}
	}
	var all []string
	lines := strings.Split(b.text, "\n")
	for i, line := range lines {
		script, isPrompt := strings.CutPrefix(line, "$ ")
		for n := i + 1; isPrompt && n < len(lines) && isIncomplete(script); n++ {
			script += "\n" + lines[n]
		}
		if isPrompt {
			all = append(all, script)
		}
	}
	return all
}

func isIncomplete(script string) bool {
	_, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	return strings.HasSuffix(script, "\\") || syntax.IsIncomplete(err) || err != nil && strings.Contains(err.Error(), "without closing quote")
}

// vocabulary is what commands may name.
type vocabulary struct {
	program, makefile string
	flags             map[string]string // the help of each command that was asked for
}

func (v vocabulary) expectScript(t *testing.T, at, script string) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), at)
	if err != nil {
		t.Errorf("%s is no script: %v", at, err)
		return
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok {
			var words []string
			for _, word := range call.Args {
				words = append(words, word.Lit())
			}
			v.expect(t, at, words)
		}
		return true
	})
}

// expect fails the test if a command names what is not there. A word that the shell would expand is "".
func (v vocabulary) expect(t *testing.T, at string, words []string) {
	t.Helper()
	if len(words) > 0 && words[0] == "sudo" {
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	for _, word := range words {
		if !inCheckout.MatchString(word) || strings.HasSuffix(word, "/.env") || words[0] == "kubectl" && strings.Count(word, "/") == 1 {
			continue // .env is made by the operator; deploy/NAME is kubectl's word for a Deployment
		}
		if found, err := filepath.Glob(filepath.Join(root, word)); err != nil || len(found) == 0 {
			t.Errorf("%s names %s, which is not there", at, word)
		}
	}
	switch strings.TrimPrefix(words[0], "bin/") {
	case "make":
		for _, word := range words[1:] {
			if target.MatchString(word) && !regexp.MustCompile(`(?m)^([a-z-]+ )*`+word+`( [a-z-]+)*:`).MatchString(v.makefile) {
				t.Errorf("%s: make has no target %s", at, word)
			}
		}
	case "schedgen":
		v.expectFlags(t, at, words[1:])
	}
}

var (
	inCheckout = regexp.MustCompile(`^(\./)?(deploy|functions|knative|scripts|docs|load-tests|shared)/[\w./*-]+$`)
	target     = regexp.MustCompile(`^[a-z][a-z-]*$`)
	givenFlag  = regexp.MustCompile(`^--?[a-z][a-z0-9-]*`)
)

func (v vocabulary) expectFlags(t *testing.T, at string, words []string) {
	t.Helper()
	if len(words) == 0 || !target.MatchString(words[0]) || words[0] == "help" {
		return
	}
	help, asked := v.flags[words[0]]
	if !asked {
		out, err := exec.CommandContext(t.Context(), v.program, words[0], "--help").Output()
		if err != nil {
			t.Errorf("%s: schedgen has no command %s: %v", at, words[0], err)
		}
		help = string(out)
		v.flags[words[0]] = help
	}
	for _, word := range words[1:] {
		if flag := givenFlag.FindString(word); flag != "" && flag != "--help" && !regexp.MustCompile(`(?m)^  `+flag+`([ =,]|$)`).MatchString(help) {
			t.Errorf("%s: schedgen %s has no flag %s", at, words[0], flag)
		}
	}
}

// TestCommandsOfDocumentsRun pastes the blocks of each document that are not marked, in their order, into one shell: beside
// a running system, in a folder that links to the checkout, with timetables at hand. What stands in a block "output" below is printed.
func TestCommandsOfDocumentsRun(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	system, _ := systemInAProcess(t, slices.Concat(unlimited, []string{"--google=fake"})...)
	port, data := system.spec.Args[2], system.spec.Args[4]
	prelude := runbooksPrelude(t)
	for name, text := range documents(t) {
		blocks := blocksOf(text)
		if !slices.ContainsFunc(blocks, block.isRun) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := ""
			if strings.HasPrefix(name, "docs/runbooks/") && name != "docs/runbooks/README.md" {
				before = prelude
			}
			s := pastedSession{t: t, name: name, bin: dir, data: data, at: strings.NewReplacer(
				"http://localhost:8080", system.url, "https://schedgen.example.org", system.url, "8081", freePort(t)), port: port}
			s.expect(before, blocks)
		})
	}
}

// runbooksPrelude is how the runbooks' page defines what the pages beside it use, for schedgen up.
func runbooksPrelude(t *testing.T) string {
	t.Helper()
	for _, b := range blocksOf(string(readFile(t, "docs/runbooks/README.md"))) {
		if b.isRun() && strings.HasPrefix(b.text, "# schedgen up") {
			return b.text
		}
	}
	t.Fatal("docs/runbooks/README.md has no block for schedgen up that runs here")
	return ""
}

// pastedSession is the shell that a document is pasted into.
type pastedSession struct {
	t                     *testing.T
	name, bin, data, port string
	at                    *strings.Replacer // the addresses of the document, and those of here
}

// separator goes before each block's output.
const separator = "\x1e"

func (s pastedSession) expect(before string, blocks []block) {
	s.t.Helper()
	script, at := "set -euo pipefail\n"+before, []int{}
	for i, b := range blocks {
		if b.isRun() {
			script += "printf '\\036'\n" + b.text
			at = append(at, i)
		}
	}
	out, err := s.run(s.at.Replace(script))
	printed := strings.Split(string(out), separator)
	if err == nil && len(printed) != len(at)+1 {
		err = fmt.Errorf("%d of %d blocks were run", len(printed)-1, len(at))
	}
	if err != nil {
		line := 0
		if ran := len(printed) - 1; ran > 0 {
			line = blocks[at[ran-1]].line
		}
		s.t.Fatalf("%s:%d: the block failed: %v\n%s", s.name, line, err, out)
	}
	for n, i := range at {
		if i+1 < len(blocks) && blocks[i+1].language == "output" {
			for want := range strings.Lines(blocks[i+1].text) {
				if want = strings.TrimSpace(want); !strings.Contains(printed[n+1], want) {
					s.t.Errorf("%s:%d prints no %q, but:\n%s", s.name, blocks[i].line, want, printed[n+1])
				}
			}
		}
	}
}

// run runs it in a folder that links to the checkout, and ends whatever it left running.
func (s pastedSession) run(script string) ([]byte, error) {
	s.t.Helper()
	dir, temporary := s.t.TempDir(), s.t.TempDir()
	if err := testkit.Passable(temporary); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range []string{"deploy", "docs", "functions", "knative", "scripts", "shared", "Makefile"} {
		s.link(filepath.Join(root, name), filepath.Join(dir, name))
	}
	s.link(s.bin, filepath.Join(dir, "bin"))
	s.link(s.data, filepath.Join(dir, ".schedgen"))
	for _, name := range []string{"timetable.pdf", "lectures.pdf", "FILE.pdf"} {
		made := exec.CommandContext(s.t.Context(), filepath.Join(s.bin, "schedgen"), "generate-pdf", "--kind", "lecture", "-o", name)
		made.Dir = dir
		if out, err := made.CombinedOutput(); err != nil {
			s.t.Fatalf("make %s: %v\n%s", name, err, out)
		}
	}
	shell := exec.CommandContext(s.t.Context(), "bash", "-c", script)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "TMPDIR="+temporary, "PORT="+s.port, "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.WaitDelay = patience
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGTERM) }
	out, err := shell.CombinedOutput()
	_ = syscall.Kill(-shell.Process.Pid, syscall.SIGTERM) // mostly, nothing is left
	return out, err
}

func (s pastedSession) link(to, from string) {
	s.t.Helper()
	absolute, err := filepath.Abs(to)
	if err == nil {
		err = os.Symlink(absolute, from)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
