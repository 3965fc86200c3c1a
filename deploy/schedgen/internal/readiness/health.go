package readiness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
)

// systemChecks ask the running system how it is.
func systemChecks() map[string]check {
	return map[string]check{
		"whole": {run: wholeSystem, says: "GET /api/health says `ok`, for which a timetable of our own goes through upload, event, reading and database",
			fix: "See which part is down and follow its runbook in docs/runbooks.", command: "schedgen status"},
		"part": {run: partOfSystem, args: 1, says: "GET /api/health, asked as an operator, says `ok` of `$1`",
			fix: "Follow the runbook of $1 in docs/runbooks.", command: "schedgen status"},
		"flows": {run: flows, says: "GET /api/health says `ok` of uploads, reading and calendars",
			fix: "Follow the runbook of the service that is not ok.", command: "schedgen status"},
		"answers": {run: answers, args: 2, says: "GET $1 answers 200, with `$2` in it",
			fix: "Find out from the log why $1 does not answer.", command: "schedgen status"},
		"queue": {run: queueNumbers, says: "GET /api/jobs/metrics tells the queue's lengths and times",
			fix: "Roll out a version that serves /api/jobs/metrics, and route /api/jobs/ to upload-ingest.", command: "docker compose up -d"},
		"request-id": {run: requestID, says: "an answer repeats the `X-Request-Id` of its request",
			fix: "Let the proxy pass X-Request-Id in both directions.", command: "docker compose logs traefik"},
		"limit-headers": {run: limitHeaders, args: 1, says: "an answer tells the limit of requests in `RateLimit-Limit`, at most $1 a minute by `RateLimit-Policy`",
			fix: "Take LIMIT_CLIENT out of the deployment, or set it to at most $1/1m.", command: "${EDITOR:-vi} deploy/compose/compose.yml && docker compose up -d"},
		"page": {run: pageIsBuilt, says: "the page and its scripts are compressed, and those with a hash in their name may be kept",
			fix: "Build the page before the image of web is built.", command: "make build"},
		"sign-in": {run: signIn, says: "GET /api/auth/google leads to Google",
			fix: "Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET (docs/google.md).", command: "${EDITOR:-vi} .env && docker compose up -d google-sync"},
	}
}

// kept is how old the report may be: it is made anew for each request, and the clocks of two machines differ.
const kept = 10 * time.Minute

// health is the report for operators, or for everybody where there is no token.
func (s *system) health(ctx context.Context) (checkup.Report, error) {
	return s.report.get(func() (checkup.Report, error) {
		var headers []string
		if !s.Token.IsZero() {
			headers = []string{"Authorization", "Bearer " + s.Token.Reveal()}
		}
		var report checkup.Report
		answer, err := s.get(ctx, "/api/health", headers...)
		switch {
		case err != nil:
			return report, err
		case answer.status == http.StatusUnauthorized || answer.status == http.StatusForbidden:
			return report, notLooked{"the token is not that of the system's operators", "schedgen readiness --token-file FILE, a file with its ADMIN_TOKEN"}
		case answer.status != http.StatusOK:
			return report, fmt.Errorf("GET /api/health answers %d", answer.status)
		}
		if err := json.Unmarshal(answer.body, &report); err != nil {
			return report, fmt.Errorf("read the answer of GET /api/health: %w", err)
		}
		if age := s.Now().Sub(report.CheckedAt); age.Abs() > kept {
			return report, fmt.Errorf("GET /api/health tells of %s: something before the system keeps old answers, or a clock is wrong", report.CheckedAt.Format(time.RFC3339))
		}
		return report, nil
	})
}

func wholeSystem(ctx context.Context, s *system, _ []string) Finding {
	report, err := s.health(ctx)
	switch {
	case err != nil:
		return from(err)
	case report.Status != checkup.OK:
		return failed("GET /api/health says %s: %s%s", report.Status, report.Message, faulty(report))
	}
	return ok("GET /api/health: %s", report.Message)
}

// faulty names the parts that are not well.
func faulty(report checkup.Report) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(report.Parts)) {
		if part := report.Parts[name]; part.Status == checkup.Degraded || part.Status == checkup.Down {
			all = append(all, name+" "+part.Problem)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

func partOfSystem(ctx context.Context, s *system, args []string) Finding {
	if s.Target != "" && s.Token.IsZero() {
		return from(notLooked{"only operators see the parts, and no token was given", "schedgen readiness --token-file FILE, a file with ADMIN_TOKEN"})
	}
	report, err := s.health(ctx)
	if err != nil {
		return from(err)
	}
	part, told := report.Parts[args[0]]
	switch {
	case !told:
		return failed("GET /api/health does not speak of %s: it is not configured", args[0])
	case part.Status == checkup.Unknown:
		return from(notLooked{fmt.Sprintf("%s is not known: %s", args[0], part.Problem), "ask again in a minute"})
	case part.Status != checkup.OK:
		return failed("%s is %s: %s", args[0], part.Status, part.Problem)
	case part.LastAt != nil:
		return ok("%s is ok; it last did its work at %s", args[0], part.LastAt.Format("2006-01-02 15:04:05Z"))
	}
	return ok("%s is ok, and answered in %.1f ms", args[0], part.LatencyMs)
}

func flows(ctx context.Context, s *system, _ []string) Finding {
	report, err := s.health(ctx)
	if err != nil {
		return from(err)
	}
	unknown := ""
	for _, service := range []struct {
		name   string
		status checkup.Status
	}{{"uploads", report.Services.Uploads}, {"reading", report.Services.Reading}, {"calendars", report.Services.Calendars}} {
		switch service.status {
		case checkup.OK:
		case checkup.Unknown:
			unknown = service.name
		default:
			return failed("%s: %s", service.name, service.status)
		}
	}
	if unknown != "" {
		return from(notLooked{unknown + ": nothing is known yet", "ask again in a minute"})
	}
	return ok("a timetable of our own was uploaded and read; calendars are served")
}

func answers(ctx context.Context, s *system, args []string) Finding {
	answer, err := s.get(ctx, args[0])
	switch {
	case err != nil:
		return from(err)
	case answer.status != http.StatusOK:
		return failed("GET %s answers %d", args[0], answer.status)
	case !strings.Contains(string(answer.body), args[1]):
		return failed("GET %s answers 200 with something else: there is no %s in it", args[0], args[1])
	}
	return ok("GET %s answers 200 in %d ms", args[0], answer.took.Milliseconds())
}

func queueNumbers(ctx context.Context, s *system, _ []string) Finding {
	answer, err := s.get(ctx, "/api/jobs/metrics")
	if err != nil {
		return from(err)
	}
	var told struct {
		Queue             map[string]map[string]int
		OldestWaitSeconds *float64
	}
	if answer.status != http.StatusOK || json.Unmarshal(answer.body, &told) != nil || len(told.Queue) == 0 || told.OldestWaitSeconds == nil {
		return failed("GET /api/jobs/metrics answers %d without the queue's numbers", answer.status)
	}
	return ok("GET /api/jobs/metrics tells %d states; the oldest job waits %.0f s", len(told.Queue), *told.OldestWaitSeconds)
}

func requestID(ctx context.Context, s *system, _ []string) Finding {
	const id = "readiness-0123456789"
	answer, err := s.get(ctx, "/api/openapi.json", "X-Request-Id", id)
	switch {
	case err != nil:
		return from(err)
	case answer.status != http.StatusOK:
		return failed("GET /api/openapi.json answers %d", answer.status)
	case answer.header.Get("X-Request-Id") != id:
		return failed("the answer has the X-Request-Id %q instead of the request's", answer.header.Get("X-Request-Id"))
	}
	return ok("the answer repeats the request's X-Request-Id")
}

func limitHeaders(ctx context.Context, s *system, args []string) Finding {
	answer, err := s.get(ctx, "/api/jobs/00000000-0000-4000-8000-000000000000")
	if err != nil {
		return from(err)
	}
	most, err := strconv.Atoi(args[0])
	if err != nil {
		return from(err)
	}
	told := answer.header.Get("RateLimit-Policy")
	rate := policy.FindStringSubmatch(told)
	if rate == nil || answer.header.Get("RateLimit-Limit") == "" {
		return failed("the answers tell no limit: RateLimit-Limit is %q and RateLimit-Policy %q", answer.header.Get("RateLimit-Limit"), told)
	}
	count, err1 := strconv.Atoi(rate[1])
	seconds, err2 := strconv.Atoi(rate[2])
	if err := errors.Join(err1, err2); err != nil {
		return from(err)
	}
	if seconds == 0 || count*60 > most*seconds {
		return failed("%s is more than %d a minute", told, most)
	}
	return ok("RateLimit-Policy: %s", told)
}

// policy is how many requests a caller has in how many seconds.
var policy = regexp.MustCompile(`;q=(\d+);w=(\d+)`)

var script = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+\.(?:js|css))"`)

func pageIsBuilt(ctx context.Context, s *system, _ []string) Finding {
	answer, err := s.get(ctx, "/")
	if err != nil {
		return from(err)
	}
	found := script.FindSubmatch(answer.body)
	if answer.status != http.StatusOK || found == nil {
		return failed("GET / answers %d, and names no script or style", answer.status)
	}
	asset, err := s.get(ctx, string(found[1]), "Accept-Encoding", "br, gzip")
	switch {
	case err != nil:
		return from(err)
	case asset.status != http.StatusOK || asset.header.Get("Content-Encoding") == "":
		return failed("GET %s answers %d and is not compressed", found[1], asset.status)
	case !strings.Contains(asset.header.Get("Cache-Control"), "immutable"):
		return failed("GET %s may not be kept: Cache-Control is %q", found[1], asset.header.Get("Cache-Control"))
	}
	return ok("%s is %d bytes (%s), kept for ever by its hash", found[1], len(asset.body), asset.header.Get("Content-Encoding"))
}

func signIn(ctx context.Context, s *system, _ []string) Finding {
	answer, err := s.get(ctx, "/api/auth/google")
	switch {
	case err != nil:
		return from(err)
	case answer.status == http.StatusNotImplemented:
		return failed("no Google project is configured: nobody signs in")
	}
	to, err := url.Parse(answer.header.Get("Location"))
	if err != nil || answer.status/100 != 3 || to.Query().Get("client_id") == "" || to.Hostname() != "accounts.google.com" && !local(s.Target) {
		return failed("GET /api/auth/google answers %d and does not lead to Google", answer.status)
	}
	return ok("GET /api/auth/google leads to %s://%s%s", to.Scheme, to.Host, to.Path)
}
