package readiness

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
)

// sshDefaults are what sshd does where its files say nothing (sshd_config(5)).
var sshDefaults = map[string]string{
	"passwordauthentication": "yes", "kbdinteractiveauthentication": "yes", "permitrootlogin": "prohibit-password", "pubkeyauthentication": "yes",
}

// sshSettings are those of sshd: everywhere, and what Match blocks set for some.
type sshSettings struct {
	global  map[string]string
	matched map[string][]string
}

// sshd reads sshd's files as sshd does: of each keyword the first value counts, and Include reads where it stands.
func (s *system) sshd() (sshSettings, error) {
	found := sshSettings{map[string]string{}, map[string][]string{}}
	if err := s.readSSH("etc/ssh/sshd_config", &found, new(bool), 0); err != nil {
		return found, err
	}
	options, err := s.serverFile("etc/default/ssh")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	if given := lastOf(options, "SSHD_OPTS"); given != "" {
		return found, notLooked{"sshd is started with options of /etc/default/ssh, which count before its files", "sudo sshd -T"}
	}
	return found, nil
}

// deepest is how many files may include each other, as sshd has it.
const deepest = 16

func (s *system) readSSH(name string, found *sshSettings, inMatch *bool, depth int) error {
	written, err := s.serverFile(name)
	if err != nil {
		return err
	}
	if depth > deepest {
		return errors.New("sshd's files include each other too often: it does not start")
	}
	for line := range strings.Lines(written) {
		line, _, _ = strings.Cut(strings.Replace(line, "=", " ", 1), "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch keyword := strings.ToLower(words[0]); keyword {
		case "include":
			for _, pattern := range words[1:] {
				pattern = strings.Trim(pattern, `"`)
				if !strings.HasPrefix(pattern, "/") {
					pattern = "/etc/ssh/" + pattern
				}
				names, err := s.serverGlob(strings.TrimPrefix(pattern, "/"))
				if err != nil {
					return err
				}
				for _, included := range names {
					inside := *inMatch // a Match block ends with its file
					if err := s.readSSH(included, found, &inside, depth+1); err != nil {
						return err
					}
				}
			}
		case "match":
			*inMatch = !strings.EqualFold(words[1], "all")
		default:
			found.set(keyword, strings.ToLower(strings.Trim(words[1], `"`)), *inMatch)
		}
	}
	return nil
}

func (found *sshSettings) set(keyword, value string, inMatch bool) {
	if keyword == "challengeresponseauthentication" {
		keyword = "kbdinteractiveauthentication" // its former name
	}
	if inMatch {
		found.matched[keyword] = append(found.matched[keyword], value)
	} else if found.global[keyword] == "" {
		found.global[keyword] = value
	}
}

// wants says what is wrong with a keyword; "" if nothing is.
func (found sshSettings) wants(name, want string) string {
	keyword := strings.ToLower(name)
	got, where := found.global[keyword], ""
	if got == "" {
		got, where = sshDefaults[keyword], ", which is the default"
	}
	if got != want {
		return name + " is " + got + where
	}
	for _, value := range found.matched[keyword] {
		if value != want {
			return "a Match block sets " + name + " to " + value
		}
	}
	return ""
}

func ssh(_ context.Context, s *system, args []string) Finding {
	found, err := s.sshd()
	if errors.Is(err, fs.ErrNotExist) {
		return failed("the server has no /etc/ssh/sshd_config: how people sign in to it is not known")
	}
	if err != nil {
		return from(err)
	}
	if why := found.wants(args[0], args[1]); why != "" {
		return failed("%s", why)
	}
	return ok("%s %s", args[0], args[1])
}

func sshKeys(_ context.Context, s *system, _ []string) Finding {
	found, err := s.sshd()
	if errors.Is(err, fs.ErrNotExist) {
		return failed("the server has no /etc/ssh/sshd_config: how people sign in to it is not known")
	}
	if err != nil {
		return from(err)
	}
	for _, want := range [][2]string{{"PasswordAuthentication", "no"}, {"KbdInteractiveAuthentication", "no"}, {"PubkeyAuthentication", "yes"}} {
		if why := found.wants(want[0], want[1]); why != "" {
			return failed("%s", why)
		}
	}
	if files := found.global["authorizedkeysfile"]; files != "" && !strings.HasSuffix(files, ".ssh/authorized_keys") {
		return from(notLooked{"sshd reads keys from " + files + ", which is not looked at", "sudo sshd -T | grep -i authorized"})
	}
	names, err := s.serverGlob("home/*/.ssh/authorized_keys")
	if err != nil {
		return from(err)
	}
	if found.wants("PermitRootLogin", "no") != "" { // a key of root opens nothing where root may not sign in
		own, err := s.serverGlob("root/.ssh/authorized_keys")
		if err != nil {
			return from(err)
		}
		names = append(names, own...)
	}
	for _, name := range names {
		keys, err := s.serverFile(name)
		if err != nil {
			return from(err)
		}
		if publicKey.MatchString(keys) {
			return ok("keys alone open a session; /%s has some", name)
		}
	}
	return failed("passwords are off, but no user who may sign in has an authorized key")
}

// publicKey is a line of authorized_keys that is no comment: options, the kind of the key, and the key.
var publicKey = regexp.MustCompile(`(?m)^[^#\n]*\b(ssh-(ed25519|rsa)|ecdsa-sha2-\S+|sk-(ssh|ecdsa)-\S+)[ \t]+AAAA`)
