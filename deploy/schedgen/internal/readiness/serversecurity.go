package readiness

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"
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

func firewall(_ context.Context, s *system, _ []string) Finding {
	version, err := s.installed("ufw")
	if err != nil {
		return from(err)
	}
	if version == "" {
		return failed("ufw is not installed")
	}
	on, err := s.serverFile("etc/ufw/ufw.conf")
	if err != nil {
		return from(err)
	}
	if !regexp.MustCompile(`(?m)^ENABLED=yes`).MatchString(on) {
		return failed("ufw is installed but not turned on")
	}
	policy, err := s.serverFile("etc/default/ufw")
	if err != nil {
		return from(err)
	}
	if !regexp.MustCompile(`(?m)^DEFAULT_INPUT_POLICY="?(DROP|REJECT)`).MatchString(policy) {
		return failed("ufw lets in what no rule refuses")
	}
	return ok("ufw %s is on, and refuses what is not allowed", version)
}

var tuple = regexp.MustCompile(`(?m)^### tuple ### (allow|limit) (\S+) (\S+) `)

func firewallPorts(_ context.Context, s *system, ports []string) Finding {
	text, err := s.serverFile("etc/ufw/user.rules")
	if errors.Is(err, fs.ErrNotExist) {
		return failed("ufw has no rules")
	}
	if err != nil {
		return from(err)
	}
	var open []string
	for _, rule := range tuple.FindAllStringSubmatch(text, -1) {
		if rule[2] != "udp" || rule[3] != "443" { // HTTP/3
			open = append(open, strings.Split(rule[3], ",")...)
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
		if errors.Is(err, fs.ErrNotExist) && file == "proc/net/tcp6" {
			continue // a kernel without IPv6
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
	case len(s.serverGlob("etc/systemd/system/multi-user.target.wants/fail2ban.service")) == 0:
		return failed("fail2ban is installed but does not start with the server")
	}
	for _, name := range append(s.serverGlob("etc/fail2ban/jail.d/*"), s.serverGlob("etc/fail2ban/jail.local")...) {
		text, err := s.serverFile(name)
		if err != nil {
			return from(err)
		}
		_, jail, _ := strings.Cut(text, "[sshd]")
		jail, _, _ = strings.Cut(jail, "\n[")
		if regexp.MustCompile(`(?m)^\s*enabled\s*=\s*true`).MatchString(jail) {
			return ok("fail2ban %s guards SSH (/%s)", version, name)
		}
	}
	return failed("fail2ban runs but does not guard SSH")
}

// updates reads what apt does by itself.
func updates(_ context.Context, s *system, _ []string) Finding {
	version, err := s.installed("unattended-upgrades")
	switch {
	case err != nil:
		return from(err)
	case version == "":
		return failed("unattended-upgrades is not installed")
	}
	values := map[string]string{}
	setting := regexp.MustCompile(`(?m)^\s*APT::Periodic::([\w-]+)\s+"(\d+)"`)
	for _, name := range s.serverGlob("etc/apt/apt.conf.d/*") { // in the order in which apt reads them
		text, err := s.serverFile(name)
		if err != nil {
			return from(err)
		}
		for _, found := range setting.FindAllStringSubmatch(text, -1) {
			values[found[1]] = found[2]
		}
	}
	for _, name := range []string{"Update-Package-Lists", "Unattended-Upgrade"} {
		if values[name] == "" || values[name] == "0" {
			return failed("APT::Periodic::%s is not on", name)
		}
	}
	return ok("unattended-upgrades %s runs every %s days", version, values["Unattended-Upgrade"])
}

func encrypted(_ context.Context, s *system, _ []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	recipients := strings.FieldsFunc(file.values["BACKUP_RECIPIENTS"], func(r rune) bool { return r == ',' || r == ' ' })
	if len(recipients) == 0 {
		return failed("BACKUP_RECIPIENTS is empty: no backup is made")
	}
	for _, r := range recipients {
		if strings.Contains(r, "AGE-SECRET-KEY") {
			return failed("BACKUP_RECIPIENTS has a secret key where the public one belongs")
		}
		if strings.HasPrefix(r, "ssh-") {
			continue // the system itself checks these when it starts
		}
		if _, err := age.ParseRecipients(strings.NewReader(r)); err != nil {
			return failed("BACKUP_RECIPIENTS has no public key of age")
		}
	}
	return ok("backups are encrypted to %d public keys", len(recipients))
}
