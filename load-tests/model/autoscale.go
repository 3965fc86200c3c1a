package main

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// What Knative's autoscaler does with its defaults (knative.dev/docs/serving/autoscaling: config-autoscaler).
const (
	step           = 0.05 // of the simulation, in seconds
	decideEvery    = 2.0  // seconds
	stableWindow   = 60.0
	panicWindow    = 6.0
	panicThreshold = 2.0 // times the instances that are ready
	utilization    = 0.7 // of an instance's concurrency that is aimed at
	scaleUpRate    = 1000.0
	scaleDownRate  = 2.0
	zeroGrace      = 30.0
)

// scaled is a service of which instances come and go. Requests wait in front of all of them, as they do at Knative's
// activator, which stays in the path while the capacity that is free is below the target burst capacity (200).
type scaled struct {
	service
	cold  float64 // seconds from the decision to the first request of an instance
	held  float64 // seconds that a request takes where nothing else is done
	time  float64 // processor time of a request, in seconds
	rate  float64 // requests that all instances begin in a second; 0: any number
	burst float64 // requests that they begin at once after a quiet time
}

// simulate gives when each request ends, by when they come (seconds, rising), and how many instances there were at the most.
func (s scaled) simulate(arrivals []float64) (ends []float64, most int) {
	state := cluster{scaled: s, ready: s.MinScale, tokens: s.burst}
	ends = make([]float64, len(arrivals))
	served, came := 0, 0
	for tick := 0; served < len(arrivals); tick++ {
		now := float64(tick) * step
		for came < len(arrivals) && arrivals[came] <= now {
			came++
		}
		state.start(now)
		for state.busy.Len() > 0 && state.busy[0] <= now {
			heap.Pop(&state.busy)
		}
		state.tokens = min(state.tokens+s.rate*step, max(s.burst, 1))
		for served < came && state.busy.Len() < state.ready*s.Concurrency && (s.rate == 0 || state.tokens >= 1) {
			state.tokens--
			// Those that an instance serves at once share its processors.
			share := max(1, float64(state.busy.Len()+1)/(float64(state.ready)*float64(s.Limits.CPU)))
			ends[served] = now + s.held + s.time*(share-1)
			heap.Push(&state.busy, ends[served])
			served++
		}
		state.seen = append(state.seen, float64(state.busy.Len()+came-served))
		asked := state.ready+len(state.starting) == 0 && came > served // the activator asks at once where there is none
		if tick%int(decideEvery/step) == 0 || asked {
			state.decide(now)
		}
		most = max(most, state.ready)
	}
	return ends, most
}

// cluster is a service while it is simulated.
type cluster struct {
	scaled
	ready    int
	starting []float64 // when each will be ready
	busy     ends      // of requests that are served
	seen     []float64 // requests at once, at each step
	panicked float64   // until when instances are only added
	idle     float64   // since when there was nothing
	tokens   float64
}

// start makes those ready whose time has come.
func (c *cluster) start(now float64) {
	before := len(c.starting)
	c.starting = slices.DeleteFunc(c.starting, func(at float64) bool { return at <= now })
	c.ready += before - len(c.starting)
}

// decide is the autoscaler's decision.
func (c *cluster) decide(now float64) {
	target := utilization * float64(c.Concurrency)
	stable, quick := c.wanted(stableWindow, target), c.wanted(panicWindow, target)
	if quick >= panicThreshold*float64(max(c.ready, 1)) {
		c.panicked = now + stableWindow
	}
	wanted := stable
	have := c.ready + len(c.starting)
	if now < c.panicked {
		wanted = max(quick, float64(have))
	}
	wanted = min(wanted, math.Ceil(scaleUpRate*float64(max(c.ready, 1))), float64(c.MaxScale))
	wanted = max(wanted, math.Floor(float64(c.ready)/scaleDownRate), float64(c.MinScale))
	if stable > 0 {
		c.idle = now
	} else if now-c.idle < zeroGrace {
		wanted = max(wanted, min(1, float64(c.ready)))
	}
	if len(c.seen) > 0 && c.seen[len(c.seen)-1] > 0 {
		wanted = max(wanted, 1)
	}
	for range int(wanted) - have {
		c.starting = append(c.starting, now+c.cold)
	}
	if int(wanted) < c.ready {
		c.ready = max(int(wanted), (c.busy.Len()+c.Concurrency-1)/c.Concurrency)
	}
}

// wanted is how many instances what was seen in a window asks for.
func (c *cluster) wanted(window, target float64) float64 {
	last := c.seen[max(0, len(c.seen)-int(window/step)):]
	sum := 0.0
	for _, n := range last {
		sum += n
	}
	return math.Ceil(sum / float64(len(last)) / target)
}

// ends is a heap of times.
type ends []float64

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(float64)) }
func (e *ends) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// arrive has students come at random, so many in each minute. They are the same each time.
func arrive(perMinute ...float64) []float64 {
	var out []float64
	random := rand.New(rand.NewPCG(1, 2))
	for minute, n := range perMinute {
		for range int(n) {
			out = append(out, 60*(float64(minute)+random.Float64()))
		}
	}
	slices.Sort(out)
	return out
}

// firstMinute is how long those wait who come in the first minute of a semester, of scenarios of the scaling table.
func firstMinute(c costs, services map[string]service) string {
	var out strings.Builder
	out.WriteString("## The first minute of a semester, from zero\n\n" +
		"| students in it | an instance starts in | instances kept | median wait | slowest 5 % | slowest | most instances of pdf-parse |\n|---:|---:|---|---:|---:|---:|---:|\n")
	for _, students := range []float64{10, 100, 500} {
		for _, cold := range []float64{1, 4} {
			for _, kept := range []struct {
				name          string
				ingest, parse int
			}{{"none", 0, 0}, {"1 upload-ingest", 1, 0}, {"1 of each", 1, 1}} {
				waits, most := chain(c, services, arrive(students, students, students), cold, kept.ingest, kept.parse)
				first := waits[:int(students)]
				slices.Sort(first)
				fmt.Fprintf(&out, "| %.0f | %.0f s | %s | %.1f s | %.1f s | %.1f s | %d |\n", students, cold, kept.name,
					first[len(first)/2], first[len(first)*95/100], first[len(first)-1], most)
			}
		}
	}
	return out.String()
}

// chain is how long each student waits for events: upload-ingest takes the PDF, pdf-parse reads it. Each of both is held as
// long as an upload takes as a whole where nothing else is done, which is more than it is.
func chain(c costs, services map[string]service, arrivals []float64, cold float64, keptIngest, keptParse int) (waits []float64, mostParse int) {
	ingest := scaled{service: services["upload-ingest"], cold: cold, held: c.upload, time: c.function["upload-ingest"]}
	parse := scaled{service: services["pdf-parse"], cold: cold, held: c.upload, time: c.function["pdf-parse"], rate: parseRate, burst: parseBurst}
	ingest.MinScale, parse.MinScale = max(ingest.MinScale, keptIngest), max(parse.MinScale, keptParse)
	taken, _ := ingest.simulate(arrivals)
	order := make([]int, len(taken))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(taken[a], taken[b]) })
	sorted := make([]float64, len(taken))
	for i, of := range order {
		sorted[i] = taken[of]
	}
	read, mostParse := parse.simulate(sorted)
	waits = make([]float64, len(arrivals))
	for i, of := range order {
		waits[of] = read[i] - arrivals[of]
	}
	return waits, mostParse
}
