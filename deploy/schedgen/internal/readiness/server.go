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
	"time"
)

// serverChecks read the files of a server: they change nothing, start nothing, and work on a copy of its file system too.
func serverChecks() map[string]check {
	return map[string]check{
		"server-os": {run: serverOS, says: "`/etc/os-release` names an Ubuntu LTS of 22.04 or later, or Debian 12 or later, which still gets security updates",
			fix: "Install a release that still gets security updates: an LTS of Ubuntu from 22.04 on, or Debian from 12 on.", command: "do-release-upgrade"},
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

var noServer = notLooked{"this is not looked at from here", "schedgen readiness server, on the server"}

// serverFile reads a file of the server.
func (s *system) serverFile(name string) (string, error) {
	if s.Root == "" {
		return "", noServer
	}
	text, err := s.readServer(name)
	if errors.Is(err, fs.ErrPermission) {
		return "", notLooked{"only root may read /" + name, "sudo schedgen readiness server"}
	}
	return string(text), err
}

// readServer follows no link out of a copy of a server: it would lead to this machine's own file.
func (s *system) readServer(name string) ([]byte, error) {
	if s.Root == "/" {
		return os.ReadFile("/" + name)
	}
	root, err := os.OpenRoot(s.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close() // it was read only
	text, err := root.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return nil, notLooked{"/" + name + " cannot be read in the copy: " + err.Error(), "schedgen readiness server, on the server"}
	}
	return text, err
}

// serverGlob are the names of the server's files that match, in their order, without its root. A folder that may not be read
// is an error: what is in it might matter.
func (s *system) serverGlob(pattern string) (names []string, err error) {
	if s.Root == "" {
		return nil, noServer
	}
	names = []string{""}
	for part := range strings.SplitSeq(pattern, "/") {
		var next []string
		for _, folder := range names {
			found, err := s.serverMatches(folder, part)
			if errors.Is(err, fs.ErrPermission) {
				return nil, notLooked{"only root may read /" + folder, "sudo schedgen readiness server"}
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
				return nil, err
			}
			next = append(next, found...)
		}
		names = next
	}
	return names, nil
}

// serverMatches are the names in a folder of the server that match one part of a pattern. As in a shell, * is no hidden file.
func (s *system) serverMatches(folder, part string) (names []string, err error) {
	if !strings.ContainsAny(part, "*?[") {
		if _, err := os.Lstat(filepath.Join(s.Root, folder, part)); err != nil {
			return nil, err
		}
		return append(names, filepath.Join(folder, part)), nil
	}
	entries, err := os.ReadDir(filepath.Join(s.Root, folder))
	for _, entry := range entries {
		if matches, bad := filepath.Match(part, entry.Name()); bad == nil && matches && (entry.Name()[0] != '.' || part[0] == '.') {
			names = append(names, filepath.Join(folder, entry.Name()))
		}
	}
	return names, err
}

// starts says whether systemd starts a unit with the server: it is wanted, and not masked.
func (s *system) starts(unit string) (bool, error) {
	wanted, err := s.serverGlob("etc/systemd/system/*.wants/" + unit)
	return len(wanted) > 0 && !s.masked(unit), err
}

// masked says whether a unit is turned off for good, by a link to /dev/null.
func (s *system) masked(unit string) bool {
	link, err := os.Readlink(filepath.Join(s.Root, "etc/systemd/system", unit))
	return err == nil && link == "/dev/null"
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
	end, supported := supportEnds(about["ID"], about["VERSION_ID"])
	switch {
	case !supported:
		return failed("the server runs %s", about["PRETTY_NAME"])
	case !s.Now().Before(end):
		return failed("the server runs %s, whose security updates ended in %s", about["PRETTY_NAME"], end.AddDate(0, 0, -1).Format("January 2006"))
	}
	return ok("%s", about["PRETTY_NAME"])
}

// supportEnds is when a release gets no more security updates: Ubuntu's of an April of an even year after five years, others
// of Ubuntu after nine months, which is not long enough; Debian's after five years (its LTS).
func supportEnds(id, version string) (end time.Time, supported bool) {
	n := numbers(version)
	switch {
	case id == "ubuntu" && !older(version, "22.04") && len(n) >= 2 && n[0]%2 == 0 && n[1] == 4:
		return time.Date(2000+n[0]+5, time.May, 1, 0, 0, 0, 0, time.UTC), true
	case id == "debian" && !older(version, "12"):
		return time.Date(2023+2*(n[0]-12)+5, time.July, 1, 0, 0, 0, 0, time.UTC), true
	}
	return end, false
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
	still, turning, err := s.disks()
	switch {
	case err != nil:
		return from(err)
	case len(still) == 0 && len(turning) > 0:
		return failed("the disk has %s, but it turns: it is no SSD", size(total))
	case len(still) == 0:
		return from(notLooked{"the disk has " + size(total) + "; whether it is an SSD is not known", "lsblk -d -o NAME,ROTA,SIZE"})
	case len(turning) > 0:
		return from(notLooked{fmt.Sprintf("the disk has %s; %s turns and %s does not, and which holds it is not known", size(total), strings.Join(turning, ", "), strings.Join(still, ", ")),
			"lsblk -o NAME,ROTA,SIZE,MOUNTPOINTS"})
	}
	return ok("%s; %s is an SSD", size(total), strings.Join(still, ", "))
}

// noDisk are block devices that hold no file system of their own: loops, memory, CDs, and what other disks are put together to.
var noDisk = regexp.MustCompile(`^(loop|ram|zram|sr|fd|nbd|dm-|md)`)

// disks are the server's disks, by whether they turn.
func (s *system) disks() (still, turning []string, err error) {
	names, err := s.serverGlob("sys/block/*")
	for _, name := range names {
		disk := filepath.Base(name)
		if noDisk.MatchString(disk) {
			continue
		}
		text, err := s.serverFile(name + "/queue/rotational")
		switch {
		case err != nil:
			return nil, nil, err
		case strings.TrimSpace(text) == "1":
			turning = append(turning, disk)
		default:
			still = append(still, disk)
		}
	}
	return still, turning, err
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
