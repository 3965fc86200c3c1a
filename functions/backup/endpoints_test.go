package backup_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

// call asks the function over HTTP, as a platform serves it.
func call(t testing.TB, f *backup.Function, method, path, token, body string, header ...string) (status int, answer map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorded := httptest.NewRecorder()
	faas.Wrap("backup", f, nil, faas.Config{ProbePatience: time.Minute}).ServeHTTP(recorded, request)
	text, err := io.ReadAll(recorded.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s %s: %v in %q", method, path, err, text)
		}
	}
	return recorded.Code, answer
}

func TestOnlyWhoHasTheTokenMayAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.OpenPaths = nil
	f, closed := w.function(func(c *backup.Config) { c.EventToken = secret.New("event-token") }), w.function(func(c *backup.Config) { c.AdminToken = secret.String{} })
	for _, path := range []string{"POST /api/admin/backups", "GET /api/admin/backups", "GET /api/admin/backups/x", "POST /api/admin/backups/x/verify", "POST /", "POST /tasks/watch"} {
		method, address, _ := strings.Cut(path, " ")
		for _, token := range []string{"", "wrong", "admin-toke", "admin-tokenn"} {
			if status, answer := call(t, f, method, address, token, ""); status != http.StatusUnauthorized || answer["error"] != "UNAUTHORIZED" {
				t.Errorf("%s with %q: got %d %v, want 401", path, token, status, answer)
			}
		}
		if status, _ := call(t, closed, method, address, "", "", "Authorization", "Bearer "); status != http.StatusUnauthorized {
			t.Errorf("%s of a function without a token: got %d, want 401", path, status)
		}
	}
	if status, _ := call(t, f, "POST", "/tasks/watch", "event-token", ""); status != http.StatusOK {
		t.Errorf("the watch with the token of events: got %d, want 200", status)
	}
	if status, _ := call(t, f, "GET", "/api/admin/backups", "event-token", ""); status != http.StatusUnauthorized {
		t.Errorf("the token of events opens the list: got %d, want 401", status)
	}
}

func TestGuessesOfTheTokenAreCounted(t *testing.T) {
	t.Parallel()
	f := newWorld(t).function(func(c *backup.Config) {
		c.OpenPaths, c.EventToken, c.Limits = nil, secret.New("event-token"), ratelimit.Limits{SignIn: ratelimit.Rate{Count: 2, Per: time.Hour}}
	})
	for n, path := range []string{"GET /api/admin/backups", "POST /tasks/watch", "POST /", "GET /api/admin/backups"} {
		method, address, _ := strings.Cut(path, " ")
		want := []int{401, 401, 429, 429}[n]
		if status, answer := call(t, f, method, address, "guess", ""); status != want {
			t.Errorf("guess %d at %s: got %d %v, want %d", n+1, path, status, answer, want)
		}
	}
	if status, _ := call(t, f, "GET", "/api/admin/backups", "admin-token", ""); status != http.StatusTooManyRequests {
		t.Errorf("the right token after them: got %d, want 429", status)
	}
	if status, _ := call(t, f, "POST", "/tasks/watch", "event-token", ""); status != http.StatusOK {
		t.Errorf("the schedule's token: got %d, want 200", status)
	}
}

func TestTheWholeLifeOfABackupOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	f := w.function()
	const token = "admin-token"
	if status, list := call(t, f, "GET", "/api/admin/backups", token, ""); status != 200 || len(list["backups"].([]any)) != 0 {
		t.Errorf("the list before: got %d %v", status, list)
	}
	status, made := call(t, f, "POST", "/api/admin/backups", token, "")
	if status != http.StatusCreated || made["status"] != "verified" || made["objects"] != 2.0 || made["dumpBytes"].(float64) == 0 {
		t.Fatalf("got %d %v", status, made)
	}
	if made["dump"] != nil || made["contents"] != nil {
		t.Errorf("the answer lists every part: %v", made)
	}
	id := made["id"].(string)
	if status, one := call(t, f, "GET", "/api/admin/backups/"+id, token, ""); status != 200 || one["id"] != id {
		t.Errorf("the one: got %d %v", status, one)
	}
	if status, list := call(t, f, "GET", "/api/admin/backups", token, ""); status != 200 || list["lastGood"] != id || list["healthy"] != true {
		t.Errorf("the list: got %d %v", status, list)
	}
	if status, checked := call(t, f, "POST", "/api/admin/backups/"+id+"/verify", token, ""); status != 200 || checked["status"] != "verified" {
		t.Errorf("verify: got %d %v", status, checked)
	}
	w.damage("runs/" + id + "/dump.")
	if status, checked := call(t, f, "POST", "/api/admin/backups/"+id+"/verify", token, ""); status != 200 || checked["status"] != "failed" {
		t.Errorf("verify what is damaged: got %d %v", status, checked)
	}
	for path, want := range map[string]int{"GET /api/admin/backups/none": 404, "POST /api/admin/backups/none/verify": 404,
		"GET /api/admin/backups?offsite=perhaps": 400, "DELETE /api/admin/backups": 405, "GET /nothing": 404} {
		method, address, _ := strings.Cut(path, " ")
		if status, answer := call(t, f, method, address, token, ""); status != want {
			t.Errorf("%s: got %d %v, want %d", path, status, answer, want)
		}
	}
	if status, health := call(t, f, "GET", "/health", "", ""); status != 200 || health["status"] != "ok" {
		t.Errorf("health: got %d %v", status, health)
	}
}

func TestWhileOneRunsAnotherIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Lease = 4 * time.Second
	f := w.function()
	lock, _, err := store.New(w.backups(), 0).Lock(t.Context(), w.cfg.Lease)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release(t.Context())
	if status, answer := call(t, f, "POST", "/api/admin/backups", "admin-token", ""); status != http.StatusConflict {
		t.Errorf("over HTTP: got %d %v, want 409", status, answer)
	}
	if status, answer := call(t, f, "POST", "/", "", ""); status != http.StatusNoContent {
		t.Errorf("as an event: got %d %v, want 204: it need not come again", status, answer)
	}
}

func TestEventsOfASchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function()
	ping := []string{"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Type", "dev.knative.sources.ping", "Ce-Id", "1", "Ce-Source", "/ping"}
	if status, made := call(t, f, "POST", "/", "", "{}", ping...); status != 200 || made["status"] != "verified" {
		t.Errorf("the first: got %d %v, want a backup", status, made)
	}
	if status, _ := call(t, f, "POST", "/", "", "{}", ping...); status != http.StatusNoContent {
		t.Errorf("delivered twice: got %d, want 204 and no second backup", status)
	}
	for _, body := range []string{`{"task":"watch"}`, `{"specversion":"1.0","data":{"task":"watch"}}`} {
		if status, s := call(t, f, "POST", "/", "", body); status != 200 || s["healthy"] != true {
			t.Errorf("%s: got %d %v", body, status, s)
		}
	}
	if status, s := call(t, f, "POST", "/tasks/watch", "", ""); status != 200 || s["healthy"] != true {
		t.Errorf("watch: got %d %v", status, s)
	}
	onlyWhole(t, f, 1)
}

// TestEventsAtOnceMakeOneBackup delivers one event to three instances: those that wait for the lock find a
// backup when they get it.
func TestEventsAtOnceMakeOneBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Lease = 8 * time.Second
	got := make(chan int)
	for range 3 {
		f := w.function()
		go func() {
			status := 0
			defer func() { got <- status }() // also when the call ends this goroutine
			status, _ = call(t, f, "POST", "/", "", "{}")
		}()
	}
	made := 0
	for range 3 {
		switch status := <-got; status {
		case http.StatusOK:
			made++
		case http.StatusNoContent:
		default:
			t.Errorf("got %d, want 200 or 204", status)
		}
	}
	if made != 1 {
		t.Errorf("%d events were answered with a backup, want 1", made)
	}
	onlyWhole(t, w.function(), 1)
}

func TestAFailedEventComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(noDatabase)
	if status, answer := call(t, f, "POST", "/", "", "not json"); status != http.StatusServiceUnavailable {
		t.Errorf("got %d %v, want 503", status, answer)
	}
}

func TestWithoutARecipientNothingIsBackedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(func(c *backup.Config) { c.Recipients = nil })
	if f.Enabled() {
		t.Error("it says that backups are made")
	}
	if status, answer := call(t, f, "POST", "/api/admin/backups", "admin-token", ""); status != http.StatusConflict {
		t.Errorf("over HTTP: got %d %v, want 409", status, answer)
	}
	if status, _ := call(t, f, "POST", "/", "", ""); status != http.StatusNoContent {
		t.Errorf("as an event: got %d, want 204", status)
	}
	if status, s := call(t, f, "POST", "/tasks/watch", "", ""); status != 200 || s["enabled"] != false {
		t.Errorf("watch: got %d %v", status, s)
	}
}

func TestAConfigurationThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want, change := range map[string]func(*backup.Config){
		"secret key":       func(c *backup.Config) { c.Recipients = []string{"AGE-SECRET-KEY-1QQQ"} },
		"age public key":   func(c *backup.Config) { c.Recipients = []string{"ssh-rsa x"} },
		"bucket of their":  func(c *backup.Config) { c.Bucket.Bucket = c.Blob.Bucket },
		"S3_URL":           func(c *backup.Config) { c.Bucket.URL = "nowhere" },
		"off-site":         func(c *backup.Config) { c.Offsite.URL = "nowhere" },
		"DATABASE_URL":     func(c *backup.Config) { c.Postgres.URL = secret.New("host=localhost dbname=x") },
		"ALERT_TO":         func(c *backup.Config) { c.Alert.SMTPServer = "mail.example:25" },
		"ALERT_WEBHOOK":    func(c *backup.Config) { c.Alert.Webhook = secret.New("hooks.example") },
		"BACKUP_SCRATCH_U": func(c *backup.Config) { c.ScratchURL = secret.New("elsewhere") },
	} {
		cfg := w.cfg
		change(&cfg)
		f, err := backup.New(t.Context(), cfg)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "AGE-SECRET-KEY-1QQQ") {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
