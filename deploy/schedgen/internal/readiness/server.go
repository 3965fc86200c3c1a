package readiness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// serverChecks read the files of a server: they change nothing, start nothing, and work on a copy of its file system too.
func serverChecks() map[string]check {
	return map[string]check{
		"server-os": {run: serverOS, says: "`/etc/os-release` names Ubuntu 22.04 or later, or Debian 12 or later",
			fix: "Install a release that still gets security updates: Ubuntu 22.04 or later, or Debian 12 or later.", command: "do-release-upgrade"},
		"server-cores": {run: serverCores, args: 1, says: "`/proc/cpuinfo` has $1 processors or more",
			fix: "Give the server $1 or more processors.", command: "nproc"},
		"server-memory": {run: serverMemory, args: 1, says: "`/proc/meminfo` has $1 or more, less what the kernel keeps for itself",
			fix: "Give the server $1 of memory or more.", command: "free -h"},
		"server-disk": {run: serverDisk, args: 1, says: "the root's file system has $1 or more, on a disk that does not turn",
			fix: "Give the server an SSD of $1 or more.", command: "df -h / && lsblk -d -o NAME,ROTA,SIZE"},
		"server-package": {run: serverPackage, args: 3, says: "the package `$1` or `$2` is installed, of version $3 or later",
			fix: "Install $1, version $3 or later.", command: "curl -sSfL https://get.docker.com | sh"},
	}
}

// serverFile reads a file of the server.
func (s *system) serverFile(name string) (string, error) {
	if s.Root == "" {
		return "", notLooked{"this is not looked at from here", "schedgen readiness server, on the server"}
	}
	text, err := os.ReadFile(filepath.Join(s.Root, name))
	if errors.Is(err, fs.ErrPermission) {
		return "", notLooked{"only root may read /" + name, "sudo schedgen readiness server"}
	}
	return string(text), err
}

// serverGlob are the names of the server's files that match, without its root.
func (s *system) serverGlob(pattern string) (names []string) {
	found, err := filepath.Glob(filepath.Join(s.Root, pattern))
	if err != nil {
		return nil // a pattern of ours is none
	}
	for _, name := range found {
		names = append(names, strings.TrimPrefix(strings.TrimPrefix(name, s.Root), "/"))
	}
	return names
}

func serverOS(_ context.Context, s *system, _ []string) Finding {
	text, err := s.serverFile("etc/os-release")
	if err != nil {
		return from(err)
	}
	about := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		about[name] = strings.Trim(value, `"'`)
	}
	least := map[string]string{"ubuntu": "22.04", "debian": "12"}[about["ID"]]
	if least == "" || older(about["VERSION_ID"], least) {
		return failed("the server runs %s", about["PRETTY_NAME"])
	}
	return ok("%s", about["PRETTY_NAME"])
}

func serverCores(_ context.Context, s *system, args []string) Finding {
	text, err := s.serverFile("proc/cpuinfo")
	if err != nil {
		return from(err)
	}
	least, err := strconv.Atoi(args[0])
	if err != nil {
		return from(err)
	}
	cores := len(regexp.MustCompile(`(?m)^processor\s*:`).FindAllString(text, -1))
	if cores < least {
		return failed("the server has %d processors, fewer than %d", cores, least)
	}
	return ok("%d processors", cores)
}

func serverMemory(_ context.Context, s *system, args []string) Finding {
	text, err := s.serverFile("proc/meminfo")
	if err != nil {
		return from(err)
	}
	least, err := parseBytes(args[0])
	if err != nil {
		return from(err)
	}
	found := regexp.MustCompile(`(?m)^MemTotal:\s+(\d+) kB`).FindStringSubmatch(text)
	if found == nil {
		return failed("/proc/meminfo does not tell the memory")
	}
	kib, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return from(err)
	}
	const kept = 0.93 // what is left of it by the kernel and the firmware
	if float64(kib<<10) < kept*float64(least) {
		return failed("the server has %s of memory, less than %s", size(kib<<10), args[0])
	}
	return ok("%s of memory", size(kib<<10))
}

// diskSize is the size of the file system that holds a path.
func diskSize(path string) (int64, error) {
	var about syscall.Statfs_t
	if err := syscall.Statfs(path, &about); err != nil {
		return 0, fmt.Errorf("ask for the size of the disk: %w", err)
	}
	return int64(about.Blocks) * about.Bsize, nil
}

func serverDisk(_ context.Context, s *system, args []string) Finding {
	if _, err := s.serverFile("etc/os-release"); err != nil {
		return from(err)
	}
	least, err1 := parseBytes(args[0])
	total, err2 := s.DiskSize(s.Root)
	if err := errors.Join(err1, err2); err != nil {
		return from(err)
	}
	const kept = 0.9 // makers count in 1,000, and a file system keeps some for itself
	if float64(total) < kept*float64(least) {
		return failed("the disk has %s, less than %s", size(total), args[0])
	}
	turning, disks := 0, s.serverGlob("sys/block/*/queue/rotational")
	for _, name := range disks {
		text, err := s.serverFile(name)
		if err != nil {
			return from(err)
		}
		if strings.TrimSpace(text) == "1" {
			turning++
		}
	}
	if len(disks) > 0 && turning == len(disks) {
		return failed("the disk has %s, but it turns: it is no SSD", size(total))
	}
	return ok("%s; %d of %d disks are SSDs", size(total), len(disks)-turning, len(disks))
}

// installed returns the version of a package; "" if it is not installed.
func (s *system) installed(name string) (version string, err error) {
	text, err := s.serverFile("var/lib/dpkg/status")
	if err != nil {
		return "", err
	}
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraph = "\n" + paragraph
		if strings.Contains(paragraph, "\nPackage: "+name+"\n") && strings.Contains(paragraph, "\nStatus: install ok installed") {
			_, version, _ = strings.Cut(paragraph, "\nVersion: ")
			version, _, _ = strings.Cut(version, "\n")
			return version, nil
		}
	}
	return "", nil
}

func serverPackage(_ context.Context, s *system, args []string) Finding {
	for _, name := range args[:2] {
		version, err := s.installed(name)
		switch {
		case err != nil:
			return from(err)
		case version == "":
			continue
		case older(version, args[2]):
			return failed("%s %s is older than %s", name, version, args[2])
		}
		return ok("%s %s", name, version)
	}
	return failed("%s is not installed", args[0])
}

// older compares versions by their numbers: 5:24.0.7-1~ubuntu is not older than 24.0.
func older(version, than string) bool {
	if _, rest, hasEpoch := strings.Cut(version, ":"); hasEpoch {
		version = rest
	}
	have, want := numbers(version), numbers(than)
	for i, w := range want {
		if i >= len(have) || have[i] < w {
			return true
		}
		if have[i] > w {
			return false
		}
	}
	return false
}

func numbers(version string) (all []int) {
	for _, digits := range regexp.MustCompile(`\d+`).FindAllString(version, -1) {
		n, err := strconv.Atoi(digits)
		if err != nil {
			return all
		}
		all = append(all, n)
	}
	return all
}
