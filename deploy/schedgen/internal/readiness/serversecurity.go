package readiness

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/functions/backup/seal"
)

// serverSecurityChecks read who may enter the server, and how.
func serverSecurityChecks() map[string]check {
	const reload = "sudo systemctl reload ssh"
	return map[string]check{
		"firewall": {run: firewall, says: "ufw is installed, starts with the server, and refuses what is not allowed",
			fix: "Turn the firewall on, with SSH and the web allowed.", command: "ufw default deny incoming && ufw allow OpenSSH && ufw allow 80/tcp && ufw allow 443/tcp && ufw --force enable"},
		"firewall-ports": {run: firewallPorts, args: -1, says: "ufw allows the ports $@ and no others, and the server listens to other machines on no others (`/proc/net/tcp`)",
			fix: "Allow SSH and the web, and delete every other rule.", command: "ufw status numbered"},
		"fail2ban": {run: fail2ban, says: "fail2ban is installed, starts with the server, and guards SSH",
			fix: "Install fail2ban and let it guard SSH.", command: "apt-get install -y fail2ban && systemctl enable --now fail2ban"},
		"ssh": {run: ssh, args: 2, says: "sshd's `$1` is `$2`, in its files and in no Match block otherwise",
			fix: "Set $1 to $2, after you have seen that you can sign in with a key.", command: "echo '$1 $2' >/etc/ssh/sshd_config.d/00-schedgen.conf && " + reload},
		"ssh-keys": {run: sshKeys, says: "passwords open no SSH session, and a user has an authorized key",
			fix: "Add your key to ~/.ssh/authorized_keys, then turn passwords off.", command: "printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication no\\n' >/etc/ssh/sshd_config.d/00-schedgen.conf && " + reload},
		"updates": {run: updates, says: "unattended-upgrades is installed and runs daily",
			fix: "Install and turn on unattended-upgrades.", command: "apt-get install -y unattended-upgrades && dpkg-reconfigure -f noninteractive unattended-upgrades"},
		"encrypted": {run: encrypted, says: "the settings file has a public key of age for backups, and no secret one",
			fix: "Make a key pair, keep its secret half off the server, and set BACKUP_RECIPIENTS to its public half.", command: "age-keygen -o identity.txt"},
	}
}

// lastOf is the value that counts of a name in a file that a shell reads.
func lastOf(text, name string) (value string) {
	for _, found := range regexp.MustCompile(`(?m)^`+name+`="?([^"\s#]*)`).FindAllStringSubmatch(text, -1) {
		value = found[1]
	}
	return value
}

func firewall(_ context.Context, s *system, _ []string) Finding {
	version, err := s.installed("ufw")
	if err != nil {
		return from(err)
	}
	if version == "" {
		return otherFirewall(s)
	}
	on, err1 := s.serverFile("etc/ufw/ufw.conf")
	policy, err2 := s.serverFile("etc/default/ufw")
	starts, err3 := s.starts("ufw.service")
	if err := errors.Join(err1, err2, err3); err != nil {
		return from(err)
	}
	switch input := lastOf(policy, "DEFAULT_INPUT_POLICY"); {
	case lastOf(on, "ENABLED") != "yes":
		return failed("ufw is installed but not turned on")
	case !starts:
		return failed("ufw is turned on but does not start with the server")
	case input != "DROP" && input != "REJECT":
		return failed("ufw lets in what no rule mentions: its default is not to refuse")
	}
	return ok("ufw %s is on, starts with the server, and refuses what is not allowed", version)
}

// otherFirewall is the finding of a server without ufw: another firewall may guard it, whose rules are not read.
func otherFirewall(s *system) Finding {
	for _, unit := range []string{"nftables.service", "firewalld.service"} {
		starts, err := s.starts(unit)
		if err != nil {
			return from(err)
		}
		if starts {
			return from(notLooked{unit + " guards this server, whose rules are not read: ufw's alone are", "sudo nft list ruleset"})
		}
	}
	return failed("ufw is not installed")
}

// tuple is a rule of ufw that lets in, or through (route): its protocol, its port and its direction.
var tuple = regexp.MustCompile(`(?m)^### tuple ### (?:route:)?(?:allow|limit)\S* (\S+) (\S+) .*?(in|out)?\S*$`)

func firewallPorts(ctx context.Context, s *system, ports []string) Finding {
	if f := firewall(ctx, s, nil); f.State != OK {
		return f // rules of a firewall that is off let everything in
	}
	text, err := s.serverFile("etc/ufw/user.rules")
	if errors.Is(err, fs.ErrNotExist) {
		return failed("ufw has no rules")
	}
	if err != nil {
		return from(err)
	}
	text6, err := s.serverFile("etc/ufw/user6.rules")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return from(err)
	}
	var open []string
	for _, rule := range tuple.FindAllStringSubmatch(text+"\n"+text6, -1) {
		http3 := rule[1] == "udp" && rule[2] == "443"
		if !http3 && rule[3] != "out" {
			open = append(open, strings.Split(rule[2], ",")...)
		}
	}
	for _, port := range ports {
		if !slices.Contains(open, port) {
			return failed("ufw does not allow port %s", port)
		}
	}
	for _, port := range open {
		if !slices.Contains(ports, port) {
			return failed("ufw also allows port %s", port)
		}
	}
	f := listening(s, ports) // also what Docker publishes, which passes by ufw
	if f.State == OK {
		f.Evidence = "ufw allows the ports " + strings.Join(ports, ", ") + " alone; " + f.Evidence
	}
	return f
}

// listener is a line of /proc/net/tcp whose state is LISTEN: the address and the port, in hexadecimal.
var listener = regexp.MustCompile(`(?m)^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 0A `)

func listening(s *system, ports []string) Finding {
	var others, seen []string
	for _, file := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		text, err := s.serverFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6, or a copy of a server; then nothing listens
		}
		if err != nil {
			return from(err)
		}
		for _, line := range listener.FindAllStringSubmatch(text, -1) {
			if isLoopback(line[1]) {
				continue
			}
			n, err := strconv.ParseUint(line[2], 16, 16)
			if err != nil {
				return from(err)
			}
			port := strconv.FormatUint(n, 10)
			seen = append(seen, port)
			if !slices.Contains(ports, port) && !slices.Contains(others, port) {
				others = append(others, port)
			}
		}
	}
	if len(others) > 0 {
		f := failed("other machines may reach the ports %s", strings.Join(others, ", "))
		f.Fix, f.Command = "Let the program that is named listen on 127.0.0.1 alone.", "ss -ltnp"
		return f
	}
	if len(seen) == 0 {
		return from(notLooked{"nothing listens for other machines here: this is no server that runs", "schedgen readiness server, on the server"})
	}
	slices.Sort(seen)
	return ok("other machines reach the ports %s alone", strings.Join(slices.Compact(seen), ", "))
}

// isLoopback says whether an address of /proc/net, in words of the machine's byte order, is this machine's own.
func isLoopback(hex string) bool {
	return len(hex) == 8 && strings.HasSuffix(hex, "7F") || hex == "00000000000000000000000001000000" ||
		strings.HasPrefix(hex, "0000000000000000FFFF0000") && strings.HasSuffix(hex, "7F")
}

func fail2ban(_ context.Context, s *system, _ []string) Finding {
	version, err := s.installed("fail2ban")
	switch {
	case err != nil:
		return from(err)
	case version == "":
		return failed("fail2ban is not installed")
	}
	starts, err := s.starts("fail2ban.service")
	if err != nil {
		return from(err)
	}
	if !starts {
		return failed("fail2ban is installed but does not start with the server")
	}
	jails, err := s.jails()
	if err != nil {
		return from(err)
	}
	enabled, there := jails["sshd"]["enabled"]
	if !there {
		enabled = jails["DEFAULT"]["enabled"]
	}
	if _, there := jails["sshd"]; !there || !slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(enabled)) {
		return failed("fail2ban runs but does not guard SSH")
	}
	return ok("fail2ban %s guards SSH", version)
}

// jails are fail2ban's by their names, with DEFAULT, which is for all. Of each name the last file that says it counts:
// jail.conf, jail.d/*.conf, jail.local, jail.d/*.local (jail.conf(5)).
func (s *system) jails() (map[string]map[string]string, error) {
	jails := map[string]map[string]string{}
	for _, pattern := range []string{"etc/fail2ban/jail.conf", "etc/fail2ban/jail.d/*.conf", "etc/fail2ban/jail.local", "etc/fail2ban/jail.d/*.local"} {
		names, err := s.serverGlob(pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := s.serverFile(name)
			if err != nil {
				return nil, err
			}
			section := ""
			for line := range strings.Lines(text) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
					continue
				}
				if inside, is := strings.CutPrefix(line, "["); is {
					section, _, _ = strings.Cut(inside, "]")
					if jails[section] == nil {
						jails[section] = map[string]string{}
					}
				} else if key, value, is := strings.Cut(line, "="); is && section != "" {
					value, _, _ = strings.Cut(value, " ;")
					value, _, _ = strings.Cut(value, " #")
					jails[section][strings.TrimSpace(key)] = strings.TrimSpace(value)
				}
			}
		}
	}
	return jails, nil
}

var (
	periodic     = regexp.MustCompile(`(?m)^\s*APT::Periodic::([\w-]+)\s+"(\w+)"`)
	aptComment   = regexp.MustCompile(`(?s)/\*.*?\*/|(?m)(^|\s)(//|#).*$`)
	fromSecurity = regexp.MustCompile(`(?i)[:}-]security\b|debian-security`)
)

// updates reads what apt does by itself.
func updates(_ context.Context, s *system, _ []string) Finding {
	version, err := s.installed("unattended-upgrades")
	switch {
	case err != nil:
		return from(err)
	case version == "":
		return failed("unattended-upgrades is not installed")
	}
	text, err := s.aptSettings()
	if err != nil {
		return from(err)
	}
	values := map[string]string{}
	for _, found := range periodic.FindAllStringSubmatch(text, -1) {
		values[found[1]] = found[2]
	}
	if values["Enable"] == "0" {
		return failed("APT::Periodic::Enable is off, and with it all that apt does by itself")
	}
	for _, name := range []string{"Update-Package-Lists", "Unattended-Upgrade"} {
		if got := values[name]; got != "1" && got != "always" {
			return failed("APT::Periodic::%s is not on each day: it is %q", name, got)
		}
	}
	for _, unit := range []string{"apt-daily.timer", "apt-daily-upgrade.timer"} {
		if s.masked(unit) {
			return failed("%s is masked: apt does nothing by itself", unit)
		}
	}
	if !fromSecurity.MatchString(text) {
		return failed("unattended-upgrades takes nothing from the archive of security updates")
	}
	return ok("unattended-upgrades %s runs each day, with security updates", version)
}

// aptSettings are apt's files in the order in which it reads them, without comments. Names of another ending than .conf, such
// as copies of an editor, are passed over (apt.conf(5)).
func (s *system) aptSettings() (string, error) {
	names, err := s.serverGlob("etc/apt/apt.conf.d/*")
	if err != nil {
		return "", err
	}
	main, err := s.serverGlob("etc/apt/apt.conf")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, name := range append(names, main...) {
		if ending := filepath.Ext(name); ending != "" && ending != ".conf" {
			continue
		}
		text, err := s.serverFile(name)
		if err != nil {
			return "", err
		}
		all.WriteString(aptComment.ReplaceAllString(text, "") + "\n")
	}
	return all.String(), nil
}

func encrypted(_ context.Context, s *system, _ []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	given := file.values["BACKUP_RECIPIENTS"]
	switch {
	case strings.TrimSpace(given) == "":
		return failed("BACKUP_RECIPIENTS is empty: no backup is made")
	case strings.Contains(given, "AGE-SECRET-KEY"):
		return failed("BACKUP_RECIPIENTS has a secret key where the public one belongs")
	}
	recipients, err := seal.Recipients(strings.Split(given, ","))
	if err != nil {
		return failed("BACKUP_RECIPIENTS has what is no public key of age")
	}
	return ok("backups are encrypted to %d public keys", len(recipients))
}
