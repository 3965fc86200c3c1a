package readiness

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func installedPackages(packages ...string) string {
	var b strings.Builder
	for i := 0; i < len(packages); i += 2 {
		b.WriteString("Package: " + packages[i] + "\nStatus: install ok installed\nPriority: optional\nVersion: " + packages[i+1] + "\n\n")
	}
	return b.String()
}

const (
	tcpHead = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	// 22 and 443 to everybody, 5432 to this machine alone, and a connection that is no listener.
	tcp = tcpHead + "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n" +
		"   1: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1\n" +
		"   2: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1\n" +
		"   3: 0F02000A:A3D2 0A02000A:0035 01 00000000:00000000 00:00000000 00000000     0        0 4 1\n"
	userRules = "*filter\n### RULES ###\n\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n\n" +
		"### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in\n"
	sshConfig = "Include /etc/ssh/sshd_config.d/*.conf\n#PermitRootLogin yes\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
)

func soundServer() map[string]string {
	return map[string]string{
		"etc/os-release":                 "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nVERSION_ID=\"24.04\"\nID=ubuntu\n",
		"proc/cpuinfo":                   strings.Repeat("processor\t: 0\nmodel name\t: x\n\n", 8),
		"proc/meminfo":                   "MemTotal:       16378900 kB\nMemFree: 1 kB\n",
		"sys/block/vda/queue/rotational": "0\n",
		"var/lib/dpkg/status": installedPackages("docker-ce", "5:27.3.1-1~ubuntu.24.04~noble", "docker-compose-plugin", "2.29.7-1~ubuntu.24.04~noble",
			"git", "1:2.43.0-1ubuntu7", "ufw", "0.36.2-6", "fail2ban", "1.0.2-3", "unattended-upgrades", "2.9.1"),
		"etc/ufw/ufw.conf": "# comment\nENABLED=yes\nLOGLEVEL=low\n", "etc/default/ufw": "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n",
		"etc/ufw/user.rules": userRules, "proc/net/tcp": tcp, "proc/net/tcp6": tcpHead,
		"etc/systemd/system/multi-user.target.wants/fail2ban.service": "[Unit]\n",
		"etc/systemd/system/multi-user.target.wants/ufw.service":      "[Unit]\n",
		"etc/apt/apt.conf.d/50unattended-upgrades":                    "Unattended-Upgrade::Allowed-Origins {\n\t\"${distro_id}:${distro_codename}-security\";\n//\t\"${distro_id}:${distro_codename}-updates\";\n};\n",
		"etc/fail2ban/jail.d/defaults-debian.conf":                    "[DEFAULT]\nbantime = 1h\n[sshd]\nbackend = systemd\nenabled = true\n",
		"etc/ssh/sshd_config":                                         sshConfig,
		"etc/ssh/sshd_config.d/00-schedgen.conf":                      "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n",
		"home/thandi/.ssh/authorized_keys":                            "ssh-ed25519 AAAA thandi\n",
		"etc/apt/apt.conf.d/20auto-upgrades":                          "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
	}
}

// has gives the server a file with another text; "" takes it away.
func has(name, text string) func(*world) {
	return func(w *world) {
		if w.files[name] = text; text == "" {
			delete(w.files, name)
		}
	}
}

// serverTwins break what the server is and what is installed on it.
func serverTwins() []twin {
	lacks := func(name string) func(*world) {
		return func(w *world) {
			status := w.files["var/lib/dpkg/status"]
			w.files["var/lib/dpkg/status"] = strings.Replace(status, "Package: "+name+"\nStatus: install ok installed", "Package: "+name+"\nStatus: deinstall ok config-files", 1)
		}
	}
	return []twin{
		{"server-os", has("etc/os-release", "PRETTY_NAME=\"Ubuntu 20.04.6 LTS\"\nVERSION_ID=\"20.04\"\nID=ubuntu\n"), "Ubuntu 20.04", "Install a release"},
		{"server-os", has("etc/os-release", "PRETTY_NAME=Alpine\nVERSION_ID=3.20\nID=alpine\n"), "Alpine", "Install a release"},
		{"server-os", has("etc/os-release", "PRETTY_NAME=\"Ubuntu 23.10\"\nVERSION_ID=\"23.10\"\nID=ubuntu\n"), "Ubuntu 23.10", "Install a release"},
		{"server-os", has("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux forky\"\nID=debian\n"), "forky", "Install a release"},
		{"server-os", func(w *world) {
			has("etc/os-release", "PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nVERSION_ID=\"22.04\"\nID=ubuntu\n")(w)
			w.now = time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)
		}, "ended in April 2027", "Install a release"},
		{"server-disk 200G", func(w *world) { // a loop of a snap does not turn
			w.files["sys/block/vda/queue/rotational"], w.files["sys/block/loop0/queue/rotational"] = "1\n", "0\n"
		}, "no SSD", "SSD of 200G"},
		{"firewall", has("etc/systemd/system/multi-user.target.wants/ufw.service", ""), "does not start with the server", "Turn the firewall on"},
		{"firewall", func(w *world) { w.masked = []string{"ufw.service"} }, "does not start with the server", "Turn the firewall on"},
		{"firewall", has("etc/ufw/ufw.conf", "ENABLED=yes\nENABLED=no\n"), "not turned on", "Turn the firewall on"},
		{"firewall-ports 22 80 443", has("etc/ufw/ufw.conf", "ENABLED=no\n"), "not turned on", "every other rule"},
		{"firewall-ports 22 80 443", has("etc/ufw/user6.rules", "### tuple ### allow tcp 5432 ::/0 any ::/0 in\n"), "also allows port 5432", "every other rule"},
		{"firewall-ports 22 80 443", has("etc/ufw/user.rules", userRules+"### tuple ### route:allow any 6379 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_docker0\n"), "also allows port 6379", "every other rule"},
		{"updates", has("etc/apt/apt.conf.d/10periodic", "APT::Periodic::Enable \"0\";\n"), "Enable is off", "turn on"},
		{"updates", has("etc/apt/apt.conf", "APT::Periodic::Unattended-Upgrade \"30\";\n"), `not on each day: it is "30"`, "turn on"},
		{"updates", func(w *world) { // an old copy says nothing
			w.files["etc/apt/apt.conf.d/99old.bak"] = w.files["etc/apt/apt.conf.d/20auto-upgrades"]
			delete(w.files, "etc/apt/apt.conf.d/20auto-upgrades")
		}, "not on each day", "turn on"},
		{"updates", func(w *world) { w.masked = []string{"apt-daily-upgrade.timer"} }, "apt-daily-upgrade.timer is masked", "turn on"},
		{"updates", has("etc/apt/apt.conf.d/50unattended-upgrades", "Unattended-Upgrade::Allowed-Origins {\n//\t\"${distro_id}:${distro_codename}-security\";\n};\n"), "nothing from the archive of security", "turn on"},
		{"server-cores 4", has("proc/cpuinfo", "processor\t: 0\n\nprocessor\t: 1\n"), "2 processors", "4 or more processors"},
		{"server-memory 16G", has("proc/meminfo", "MemTotal:        8167800 kB\n"), "7.79 GiB", "16G of memory"},
		{"server-disk 200G", func(w *world) { w.disk = 40 << 30 }, "40 GiB", "SSD of 200G"},
		{"server-disk 200G", has("sys/block/vda/queue/rotational", "1\n"), "no SSD", "SSD of 200G"},
		{"server-package docker-ce docker.io 24.0", lacks("docker-ce"), "docker-ce is not installed", "Install docker-ce"},
		{"server-package docker-ce docker.io 24.0", has("var/lib/dpkg/status", installedPackages("docker.io", "20.10.24+dfsg1-1")), "older than 24.0", "version 24.0"},
		{"server-package docker-compose-plugin docker-compose-v2 2.20", has("var/lib/dpkg/status", installedPackages("docker-compose-plugin", "2.6.0~ubuntu-jammy")), "older than 2.20", "version 2.20"},
		{"firewall", lacks("ufw"), "ufw is not installed", "Turn the firewall on"},
		{"firewall", has("etc/ufw/ufw.conf", "ENABLED=no\n"), "not turned on", "Turn the firewall on"},
		{"firewall", has("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n"), "lets in", "Turn the firewall on"},
		{"firewall-ports 22 80 443", has("etc/ufw/user.rules", userRules+"### tuple ### allow tcp 5432 0.0.0.0/0 any 0.0.0.0/0 in\n"), "also allows port 5432", "every other rule"},
		{"firewall-ports 22 80 443", has("etc/ufw/user.rules", strings.Replace(userRules, "tcp 80 ", "tcp 8080 ", 1)), "does not allow port 80", "SSH and the web"},
		{"firewall-ports 22 80 443", has("proc/net/tcp", strings.Replace(tcp, "0100007F:1538", "00000000:1538", 1)), "ports 5432", "127.0.0.1"},
		{"firewall-ports 22 80 443", has("proc/net/tcp6", tcpHead+"   0: 00000000000000000000000000000000:18EB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 5 1\n"), "ports 6379", "127.0.0.1"},
		{"updates", lacks("unattended-upgrades"), "not installed", "unattended-upgrades"},
		{"updates", has("etc/apt/apt.conf.d/20auto-upgrades", "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";\n"), "Unattended-Upgrade is not on each day", "turn on"},
		{"updates", has("etc/apt/apt.conf.d/99off", "APT::Periodic::Unattended-Upgrade \"0\";\n"), "Unattended-Upgrade is not on each day", "turn on"},
	}
}

// enteredTwins break who may enter the server.
func enteredTwins() []twin {
	const own = "etc/ssh/sshd_config.d/00-schedgen.conf"
	const root, keys = "ssh PermitRootLogin no", "Add your key"
	return []twin{
		{"fail2ban", has("var/lib/dpkg/status", installedPackages("git", "2")), "not installed", "Install fail2ban"},
		{"fail2ban", has("etc/systemd/system/multi-user.target.wants/fail2ban.service", ""), "does not start", "fail2ban"},
		{"fail2ban", has("etc/fail2ban/jail.d/defaults-debian.conf", "[sshd]\nenabled = false\n[nginx]\nenabled = true\n"), "does not guard SSH", "fail2ban"},
		{"fail2ban", has("etc/fail2ban/jail.local", "[DEFAULT]\nenabled = true\n[sshd]\nenabled = false\n"), "does not guard SSH", "fail2ban"},
		{"fail2ban", has("etc/fail2ban/jail.d/zz.local", "[sshd]\nenabled = no ; for now\n"), "does not guard SSH", "fail2ban"},
		{"fail2ban", has("etc/fail2ban/jail.d/defaults-debian.conf", "#[sshd]\n[nginx]\nenabled = true\n"), "does not guard SSH", "fail2ban"},
		{"fail2ban", func(w *world) { // a copy that fail2ban does not read
			w.files["etc/fail2ban/jail.d/old.bak"] = w.files["etc/fail2ban/jail.d/defaults-debian.conf"]
			delete(w.files, "etc/fail2ban/jail.d/defaults-debian.conf")
		}, "does not guard SSH", "fail2ban"},
		{"fail2ban", func(w *world) { w.masked = []string{"fail2ban.service"} }, "does not start", "fail2ban"},
		{"ssh-keys", has("home/thandi/.ssh/authorized_keys", "# ssh-ed25519 AAAA thandi\n"), "no user who may sign in has an authorized key", keys},
		{"ssh-keys", func(w *world) { // root may not sign in
			delete(w.files, "home/thandi/.ssh/authorized_keys")
			w.files["root/.ssh/authorized_keys"] = "ssh-ed25519 AAAA root\n"
		}, "no user who may sign in has an authorized key", keys},
		{root, has(own, "Include 00-schedgen.conf\nInclude /etc/ssh/sshd_config.d/00-schedgen.conf\nPermitRootLogin no\n"), "include each other too often", "Set PermitRootLogin to no"},
		{root, has(own, "PermitRootLogin yes\n"), "PermitRootLogin is yes", "Set PermitRootLogin to no"},
		{root, has(own, ""), "prohibit-password, which is the default", "Set PermitRootLogin to no"},
		{root, has("etc/ssh/sshd_config", "PermitRootLogin without-password\n"+sshConfig), "without-password", "Set PermitRootLogin to no"},
		{root, has("etc/ssh/sshd_config", sshConfig+"Match Address 10.0.0.0/8\n  PermitRootLogin yes\n"), "a Match block", "Set PermitRootLogin to no"},
		{root, has("etc/ssh/sshd_config", ""), "not known", "Set PermitRootLogin to no"},
		{"ssh-keys", has(own, "PermitRootLogin no\n"), "PasswordAuthentication is yes, which is the default", keys},
		{"ssh-keys", has(own, "PasswordAuthentication no\nPermitRootLogin no\n"), "KbdInteractiveAuthentication is yes", keys},
		{"ssh-keys", has("etc/ssh/sshd_config", "passwordauthentication=yes\n"+sshConfig), "PasswordAuthentication is yes", keys},
		{"ssh-keys", has("etc/ssh/sshd_config.d/00-a.conf", "PasswordAuthentication yes\n"), "PasswordAuthentication is yes", keys},
		{"ssh-keys", has("etc/ssh/sshd_config", sshConfig+"Match User backup\nPasswordAuthentication yes\n"), "a Match block", keys},
		{"ssh-keys", has("home/thandi/.ssh/authorized_keys", ""), "no user who may sign in has an authorized key", keys},
	}
}

// TestAServerThatIsNotSeenIsNotGreen: what may not be read, what is not on this machine, and what no rule of ours reads.
func TestAServerThatIsNotSeenIsNotGreen(t *testing.T) {
	t.Parallel()
	for at, c := range []struct {
		check    string
		changed  func(*world)
		evidence string
	}{
		{"firewall-ports 22 80 443", has("proc/net/tcp", tcpHead), "this is no server that runs"},
		{"firewall-ports 22 80 443", has("proc/net/tcp", ""), "this is no server that runs"},
		{"server-disk 200G", has("sys/block/vda/queue/rotational", ""), "is not known"},
		{"server-disk 200G", has("sys/block/sda/queue/rotational", "1\n"), "sda turns and vda does not"},
		{"firewall", func(w *world) {
			w.files["var/lib/dpkg/status"] = installedPackages("nftables", "1.0")
			w.files["etc/systemd/system/sysinit.target.wants/nftables.service"] = "[Unit]\n"
		}, "nftables.service guards this server"},
		{"ssh PermitRootLogin no", has("etc/default/ssh", "SSHD_OPTS=\"-o PermitRootLogin=yes\"\n"), "options of /etc/default/ssh"},
		{"ssh-keys", has("etc/ssh/sshd_config", sshConfig+"AuthorizedKeysFile /etc/keys/%u\n"), "reads keys from /etc/keys/%u"},
		{"ssh PermitRootLogin no", func(w *world) { w.links = map[string]string{"etc/ssh/sshd_config.d/01-x.conf": "/etc/hostname"} }, "cannot be read in the copy"},
	} {
		w := soundWorld()
		c.changed(w)
		if got := w.find(t, c.check); got.State != NotLooked || !strings.Contains(got.Evidence, c.evidence) || got.How == "" {
			t.Errorf("%d, %s: got %+v, want it not looked at: %s", at, c.check, got, c.evidence)
		}
	}
}

// TestWhatRootAloneMayReadIsNotLookedAt: what the user may not read is neither green nor red, a folder as a file.
func TestWhatRootAloneMayReadIsNotLookedAt(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads every file: run it as another user")
	}
	for path, check := range map[string]string{"etc/ufw/user.rules": "firewall-ports 22 80 443", "etc/ssh/sshd_config.d": "ssh PermitRootLogin no",
		"etc/apt/apt.conf.d": "updates", "etc/fail2ban/jail.d": "fail2ban", "home/thandi": "ssh-keys"} {
		o := soundWorld().build(t)
		if err := os.Chmod(filepath.Join(o.Root, path), 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(o.Root, path), 0o700) }) // so that it can be taken away
		if got := newSystem(o).look(t.Context(), Item{Check: check}, nil); got.State != NotLooked || !strings.HasPrefix(got.How, "sudo") {
			t.Errorf("%s, %s: got %+v, want not looked", path, check, got)
		}
	}
}

// TestARealDebianIsRead builds a Debian root, looks at it as it is, makes it sound with the files that the fixes write, and
// looks again.
func TestARealDebianIsRead(t *testing.T) {
	t.Parallel()
	root := debian(t)
	o := Options{Root: root, DiskSize: func(string) (int64, error) { return 250 << 30, nil }}
	look := func(check string) Finding { return newSystem(o).look(t.Context(), Item{Check: check}, nil) }
	for check, want := range map[string]State{"server-os": OK, "firewall": Failed, "fail2ban": Failed, "updates": Failed, "ssh PermitRootLogin no": Failed,
		"ssh-keys": Failed, "server-package git git 2": Failed, "server-package base-files base-files 12": OK} {
		if got := look(check); got.State != want {
			t.Errorf("the bare one, %s: got %+v, want %s", check, got, want)
		}
	}
	for name, text := range map[string]string{
		"etc/ssh/sshd_config.d/00-schedgen.conf": "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n",
		"home/thandi/.ssh/authorized_keys":       "ssh-ed25519 AAAA thandi\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, check := range []string{"ssh PermitRootLogin no", "ssh-keys"} {
		if got := look(check); got.State != OK {
			t.Errorf("the sound one, %s: got %+v, want ok", check, got)
		}
	}
}

// debian is the root of a Debian with an SSH server, built for this test.
func debian(t *testing.T) string {
	t.Helper()
	if os.Getenv("SCHEDGEN_TEST_ALL") == "" && os.Getenv("SCHEDGEN_TEST_PLATFORM") == "" {
		t.Skip("a Debian root takes minutes to build: set SCHEDGEN_TEST_PLATFORM=1 (make test-platform)")
	}
	program, err := exec.LookPath("debootstrap")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and debootstrap: apt-get install debootstrap")
	}
	root := filepath.Join(t.TempDir(), "debian")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	build := exec.CommandContext(ctx, program, "--variant=minbase", "--include=openssh-server", "bookworm", root)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("debootstrap: %v\n%.2000s", err, out)
	}
	return root
}
