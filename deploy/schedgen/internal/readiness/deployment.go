package readiness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// service is what a deployment says of one service, on any platform.
type service struct {
	cpus     float64 // limit; 0 is none
	memory   int64   // limit in bytes; 0 is none
	replicas int     // that run, or may run where it scales by itself
	env      map[string]string
	command  string   // with its arguments
	probed   bool     // the platform checks its health
	ends     bool     // it does its work once
	storage  []string // folders whose files outlive its containers
	fault    string   // why what is described here is not what runs
	open     bool     // it is given more than was seen
	unseen   string   // why it is not known whether it runs
}

// Runner runs a program and returns what it wrote.
type Runner func(ctx context.Context, name string, args ...string) ([]byte, error)

func runProgram(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.WaitDelay = time.Second // a child of its own may hold the pipes open
	out, err := command.Output()
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%s does not end: %w", name, ctx.Err())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

// unknownSource stands for a value that the cluster takes from where this program does not look.
const unknownSource = "(of another object)"

// fromSecret is the value of a variable that only the platform knows.
const fromSecret = "(a secret of the platform)"

// deploymentChecks look at what runs: Docker Compose's files, or Kubernetes' objects.
func deploymentChecks() map[string]check {
	const up = "docker compose up -d"
	return map[string]check{
		"limits": {run: limits, args: 3, says: "`$1` is deployed with limits of at least $2 CPUs and $3 of memory",
			fix: "Give $1 the limits of deploy/scaling.json: $2 CPUs, $3.", command: "make generate && docker compose up -d $1"},
		"all-limits": {run: allLimits, says: "every service is deployed with limits of CPU and memory",
			fix: "Give each service that is named its limits of CPU and memory.", command: "make generate && " + up},
		"replicas": {run: replicas, args: 2, says: "`$1` is deployed $2 times or more, or may scale to it",
			fix: "Deploy $1 at least $2 times.", command: "make generate && docker compose up -d --scale $1=$2 $1"},
		"env": {run: variables, args: -1, says: "`$1` is deployed with the settings $@",
			fix: "Fill in the settings that are missing in secrets.env and deploy $1 anew.", command: "${EDITOR:-vi} .env && docker compose up -d $1"},
		"setting": {run: setting, args: 3, says: "`$2` of `$1` is `$3`, by its default or as deployed",
			fix: "Set $2 to $3 where $1 is deployed, or take it out, which means its default.", command: "${EDITOR:-vi} deploy/compose/compose.yml && docker compose up -d $1"},
		"probed": {run: probed, args: -1, says: "the platform checks the health of `$@`",
			fix: "Add the health check that deploy/compose or the manifests have for it.", command: up},
		"storage": {run: keptStorage, args: -1, says: "what is written is on a volume, for each SERVICE:FOLDER of `$@`",
			fix: "Mount the volume that deploy/compose/compose.yml has for it.", command: up},
	}
}

// services are what is deployed, by name.
func (s *system) services(ctx context.Context) (map[string]service, error) {
	return s.deployed.get(func() (map[string]service, error) {
		switch {
		case len(s.Compose) > 0:
			return s.composeServices(ctx)
		case s.Manifests != "":
			return manifestServices(s.Manifests)
		case s.Kube:
			return s.kubeServices(ctx)
		}
		return nil, notLooked{"no deployment was named", "schedgen readiness --compose deploy/compose/compose.yml,deploy/compose/compose.prod.yml, or --kube"}
	})
}

// on runs a check of one service.
func (s *system) on(ctx context.Context, name string, look func(service) Finding) Finding {
	all, err := s.services(ctx)
	if err != nil {
		return from(err)
	}
	one, there := all[name]
	if !there {
		return failed("%s is not deployed", name)
	}
	if one.fault != "" {
		return failed("%s does not run as it is described: %s", name, one.fault)
	}
	f := look(one)
	if f.State == OK && one.unseen != "" {
		f.Evidence += " (" + one.unseen + ")"
	}
	return f
}

func limits(ctx context.Context, s *system, args []string) Finding {
	return s.on(ctx, args[0], func(one service) Finding {
		cpus, err1 := parseCPUs(args[1])
		memory, err2 := parseBytes(args[2])
		switch {
		case err1 != nil || err2 != nil:
			return from(errors.Join(err1, err2))
		case one.cpus == 0:
			return failed("%s has no limit of CPU", args[0])
		case one.memory == 0:
			return failed("%s has no limit of memory", args[0])
		case one.cpus < cpus || one.memory < memory:
			return failed("%s has %g CPUs and %s, less than it needs", args[0], one.cpus, size(one.memory))
		}
		return ok("%s: %g CPUs, %s", args[0], one.cpus, size(one.memory))
	})
}

func allLimits(ctx context.Context, s *system, _ []string) Finding {
	all, err := s.services(ctx)
	if err != nil {
		return from(err)
	}
	var without []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].cpus == 0 && name != "traefik" || all[name].memory == 0 && name != "traefik" {
			without = append(without, name)
		}
	}
	switch {
	case len(all) == 0:
		return failed("the deployment has no service")
	case len(without) > 0:
		return failed("without limits of CPU or memory: %s", strings.Join(without, ", "))
	}
	return ok("%d services have limits of CPU and memory", len(all))
}

func replicas(ctx context.Context, s *system, args []string) Finding {
	return s.on(ctx, args[0], func(one service) Finding {
		least, err := strconv.Atoi(args[1])
		switch {
		case err != nil:
			return from(err)
		case one.replicas < least:
			return failed("%s is deployed %d times, less than %d", args[0], one.replicas, least)
		}
		return ok("%s: %d", args[0], one.replicas)
	})
}

func variables(ctx context.Context, s *system, args []string) Finding {
	return s.on(ctx, args[0], func(one service) Finding {
		var missing []string
		unknown, elsewhere := false, one.open
		for _, name := range args[1:] {
			unknown = unknown || strings.Contains(one.env[name], unknownSetting)
			elsewhere = elsewhere || strings.Contains(one.env[name], unknownSource)
			if strings.TrimSpace(one.env[name]) == "" {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 && unknown {
			return from(noSettings)
		}
		if elsewhere && (len(missing) > 0 || !one.open) {
			return from(notLooked{args[0] + " takes settings from an object of the cluster that was not seen", "schedgen readiness --kube, with rights to read ConfigMaps and Secrets"})
		}
		if len(missing) > 0 {
			return failed("%s is deployed without %s", args[0], strings.Join(missing, ", "))
		}
		return ok("%s has %s", args[0], strings.Join(args[1:], ", ")) // never what they are: they may be secret
	})
}

func setting(ctx context.Context, s *system, args []string) Finding {
	return s.on(ctx, args[0], func(one service) Finding {
		got := one.env[args[1]]
		switch {
		case strings.Contains(got, unknownSetting):
			return from(noSettings)
		case strings.Contains(got, unknownSource), got == "" && one.open:
			return from(notLooked{args[1] + " of " + args[0] + " is from an object of the cluster that was not read", "kubectl describe pod, of " + args[0]})
		case got == "":
			return ok("%s of %s is not set, which means %s", args[1], args[0], args[2])
		case got != args[2]:
			return failed("%s of %s is %s instead of %s", args[1], args[0], got, args[2])
		}
		return ok("%s of %s is %s", args[1], args[0], got)
	})
}

func probed(ctx context.Context, s *system, names []string) Finding {
	for _, name := range names {
		if f := s.on(ctx, name, func(one service) Finding {
			if !one.probed {
				return failed("%s has no health check", name)
			}
			return ok("%s", name)
		}); f.State != OK {
			return f
		}
	}
	return ok("the platform asks %s", strings.Join(names, ", "))
}

func keptStorage(ctx context.Context, s *system, wanted []string) Finding {
	for _, want := range wanted {
		name, folder, _ := strings.Cut(want, ":")
		if f := s.on(ctx, name, func(one service) Finding {
			if folder == "" || !slices.Contains(one.storage, folder) {
				return failed("what %s writes to %s is lost with its container", name, folder)
			}
			return ok("%s", want)
		}); f.State != OK {
			return f
		}
	}
	return ok("on volumes: %s", strings.Join(wanted, ", "))
}

// option wants an option of a program to have a value.
func option(ctx context.Context, s *system, args []string) Finding {
	return s.on(ctx, args[0], func(one service) Finding {
		words := strings.Fields(strings.NewReplacer(`"`, " ", "'", " ", "=", " ").Replace(one.command))
		at := len(words) - 1 // of an option that is given twice the last counts
		for at >= 0 && words[at] != args[1] {
			at--
		}
		switch {
		case at < 0:
			return failed("%s is started without %s", args[0], args[1])
		case at+1 >= len(words) || !strings.EqualFold(words[at+1], args[2]):
			return failed("%s is started with another %s than %s", args[0], args[1], args[2])
		}
		return ok("%s is started with %s %s", args[0], args[1], args[2])
	})
}

// parseCPUs reads 2, 0.5 or Kubernetes' 500m.
func parseCPUs(text string) (float64, error) {
	if milli, isMilli := strings.CutSuffix(text, "m"); isMilli {
		n, err := strconv.ParseFloat(milli, 64)
		return n / 1000, err
	}
	return strconv.ParseFloat(text, 64)
}

// parseBytes reads 1G and 512M of Docker, which counts in 1024, and 1Gi and 512Mi of Kubernetes.
func parseBytes(text string) (int64, error) {
	text = strings.TrimRight(strings.ToLower(text), "ib")
	factor := int64(1)
	for unit, n := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30} {
		if number, has := strings.CutSuffix(text, unit); has {
			text, factor = number, n
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	return int64(n * float64(factor)), err
}

// size is a number of bytes for people.
func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.3g GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
