package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/retry"
)

// Deliveries at one time, and the waits between tries of one. A webhook answers when it has done the work, so there
// are more first tries at one time than it does work.
const (
	firstTries = 32
	retriers   = 8
	firstWait  = 100 * time.Millisecond
	longWait   = 3 * time.Second
	oneTry     = 30 * time.Second
)

// notifier tells the webhook of each stored object: at least once, for the notification is a file
// before the PUT is answered and until the webhook has taken it. Those that it refused have deliverers of
// their own: however many they are, they hold up no first try.
type notifier struct {
	dir    string
	cfg    Config
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	fresh, refused *queue

	mu  sync.Mutex
	seq uint64
}

// queue is names of files that no deliverer has taken.
type queue struct {
	mu      sync.Mutex
	waiting []string
	wake    chan struct{} // for each deliverer
}

func newQueue(deliverers int, waiting []string) *queue {
	return &queue{waiting: waiting, wake: make(chan struct{}, deliverers)}
}

func (q *queue) add(path string) {
	q.mu.Lock()
	q.waiting = append(q.waiting, path)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default: // enough deliverers are on their way
	}
}

func (q *queue) take() (path string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return "", false
	}
	path, q.waiting = q.waiting[0], q.waiting[1:]
	return path, true
}

// startNotifier begins with what an earlier process left in dir.
func startNotifier(dir string, cfg Config) (*notifier, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of notifications: %w", err)
	}
	if err := removeFiles(dir, func(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }); err != nil {
		return nil, fmt.Errorf("remove what a killed process left: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for notifications: %w", err)
	}
	slices.Sort(left)
	n := &notifier{dir: dir, cfg: cfg, fresh: newQueue(firstTries, nil), refused: newQueue(retriers, left),
		client: &http.Client{Timeout: oneTry, Transport: &http.Transport{MaxIdleConnsPerHost: firstTries + retriers}}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for range firstTries {
		n.done.Go(func() { n.work(n.fresh, n.first) })
	}
	for range retriers {
		n.done.Go(func() { n.work(n.refused, n.again) })
	}
	return n, nil
}

// close ends the deliverers; what they had not delivered stays for the next start.
func (n *notifier) close() {
	n.cancel()
	n.done.Wait()
	n.client.CloseIdleConnections()
}

// stored queues the notification of one object.
func (n *notifier) stored(bucket string, o object) error {
	now := time.Now().UTC()
	n.mu.Lock()
	n.seq++
	sequence := n.seq
	n.mu.Unlock()
	// Names sort by time, so a restart delivers in order.
	path := filepath.Join(n.dir, fmt.Sprintf("%020d-%06d.json", now.UnixNano(), sequence))
	text, err := notification(bucket, o, n.cfg.AccessKey, now)
	if err != nil {
		return fmt.Errorf("describe the notification: %w", err)
	}
	durable := syncDir
	if n.cfg.Fast {
		durable = nil
	}
	if err := writeFile(path, text, durable); err != nil {
		return fmt.Errorf("queue the notification: %w", err)
	}
	n.fresh.add(path)
	return nil
}

// work delivers what waits, one after the other.
func (n *notifier) work(q *queue, deliver func(path string)) {
	for n.ctx.Err() == nil {
		path, ok := q.take()
		if !ok {
			select {
			case <-n.ctx.Done():
			case <-q.wake:
			}
			continue
		}
		deliver(path)
	}
}

// first tries once.
func (n *notifier) first(path string) {
	if !n.try(path, 0) {
		n.refused.add(path)
	}
}

// again tries until the notification is taken or the server stops.
func (n *notifier) again(path string) {
	for wait := firstWait; !n.try(path, wait) && retry.Wait(n.ctx, wait) == nil; {
		wait = min(2*wait, longWait)
	}
}

// try says whether a notification needs no other try, which would come after a wait.
func (n *notifier) try(path string, wait time.Duration) (over bool) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		n.cfg.Logger.Error("notification cannot be read", slog.String("error", err.Error()))
		return true
	}
	if err := n.post(text); err != nil {
		if n.ctx.Err() == nil {
			n.cfg.Logger.Warn("notification not taken; trying again", "error", err.Error(), "wait", wait.String())
		}
		return false
	}
	_ = os.Remove(path) // at worst it is told again, which is allowed
	return true
}

// post is one try.
func (n *notifier) post(text []byte) error {
	request, err := http.NewRequestWithContext(n.ctx, http.MethodPost, n.cfg.Webhook, bytes.NewReader(text))
	if err != nil {
		return errors.New("the webhook's address is wrong")
	}
	request.Header.Set("Content-Type", "application/json")
	if !n.cfg.Token.IsZero() {
		request.Header.Set("Authorization", "Bearer "+n.cfg.Token.Reveal())
	}
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()                                       // read below, as far as it matters
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode >= 300 {
		return fmt.Errorf("answered with status %d", response.StatusCode)
	}
	return nil
}

// notification is the body that MinIO posts for a stored object. Records carry the key URL-encoded,
// Key does not.
func notification(bucket string, o object, principal string, when time.Time) ([]byte, error) {
	type m = map[string]any
	meta := map[string]string{"content-type": o.Meta["Content-Type"]}
	for name, value := range o.Meta {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			meta[name] = value
		}
	}
	record := m{
		"eventVersion": "2.0", "eventSource": "minio:s3", "awsRegion": "",
		"eventTime": when.Format("2006-01-02T15:04:05.000Z"), "eventName": "s3:ObjectCreated:Put",
		"userIdentity":      m{"principalId": principal},
		"requestParameters": m{"principalId": principal, "region": "", "sourceIPAddress": "127.0.0.1"},
		"responseElements":  m{"x-amz-request-id": fmt.Sprintf("%X", when.UnixNano()), "x-amz-id-2": rand.Text()},
		"s3": m{"s3SchemaVersion": "1.0", "configurationId": "Config",
			"bucket": m{"name": bucket, "ownerIdentity": m{"principalId": principal}, "arn": "arn:aws:s3:::" + bucket},
			"object": m{"key": url.QueryEscape(o.Key), "size": o.Size, "eTag": fmt.Sprintf("%x", o.MD5),
				"contentType": o.Meta["Content-Type"], "userMetadata": meta, "sequencer": fmt.Sprintf("%016X", when.UnixNano())}},
		"source": m{"host": "127.0.0.1", "port": "", "userAgent": "schedgen"},
	}
	return json.Marshal(m{"EventName": "s3:ObjectCreated:Put", "Key": bucket + "/" + o.Key, "Records": []m{record}})
}
