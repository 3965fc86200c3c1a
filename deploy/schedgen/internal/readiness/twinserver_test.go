package readiness

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		{"updates", has("etc/apt/apt.conf.d/20auto-upgrades", "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";\n"), "Unattended-Upgrade is not on", "turn on"},
		{"updates", has("etc/apt/apt.conf.d/99off", "APT::Periodic::Unattended-Upgrade \"0\";\n"), "Unattended-Upgrade is not on", "turn on"},
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
		{"ssh-keys", has("home/thandi/.ssh/authorized_keys", ""), "no user has an authorized key", keys},
	}
}

// TestAFileOfRootAloneIsNotLookedAt: what the user may not read is neither green nor red.
func TestAFileOfRootAloneIsNotLookedAt(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads every file: run it as another user")
	}
	o := soundWorld().build(t)
	if err := os.Chmod(filepath.Join(o.Root, "etc/ufw/user.rules"), 0); err != nil {
		t.Fatal(err)
	}
	got := newSystem(o).look(t.Context(), Item{Check: "firewall-ports 22 80 443"}, nil)
	if got.State != NotLooked || !strings.HasPrefix(got.How, "sudo") {
		t.Errorf("got %+v, want not looked", got)
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
