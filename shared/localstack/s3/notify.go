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

// Deliveries at one time, and the waits between tries of one.
const (
	deliverers = 8
	firstWait  = 100 * time.Millisecond
	longWait   = 3 * time.Second
	oneTry     = 30 * time.Second
)

// notifier tells the webhook of each stored object: at least once, for the notification is a file
// before the PUT is answered and until the webhook has taken it.
type notifier struct {
	dir    string
	cfg    Config
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	waiting []string // names of files that no deliverer has taken
	wake    chan struct{}
	seq     uint64
}

// startNotifier begins with what an earlier process left in dir.
func startNotifier(dir string, cfg Config) (*notifier, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of notifications: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for notifications: %w", err)
	}
	slices.Sort(left)
	n := &notifier{dir: dir, cfg: cfg, waiting: left, wake: make(chan struct{}, deliverers),
		client: &http.Client{Timeout: oneTry, Transport: &http.Transport{MaxIdleConnsPerHost: deliverers}}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for range deliverers {
		n.done.Add(1)
		go n.work()
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
	if err := writeFile(path, text, !n.cfg.Fast); err != nil {
		return fmt.Errorf("queue the notification: %w", err)
	}
	n.mu.Lock()
	n.waiting = append(n.waiting, path)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default: // enough deliverers are on their way
	}
	return nil
}

// work delivers what waits, one after the other.
func (n *notifier) work() {
	defer n.done.Done()
	for n.ctx.Err() == nil {
		path, ok := n.take()
		if !ok {
			select {
			case <-n.ctx.Done():
			case <-n.wake:
			}
			continue
		}
		n.deliver(path)
	}
}

func (n *notifier) take() (path string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 {
		return "", false
	}
	path, n.waiting = n.waiting[0], n.waiting[1:]
	return path, true
}

// deliver posts one notification until it is taken or the server stops.
func (n *notifier) deliver(path string) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	for wait := firstWait; err == nil; wait = min(2*wait, longWait) {
		if err := n.post(text); err == nil {
			_ = os.Remove(path) // at worst it is told again, which is allowed
			return
		} else if n.ctx.Err() == nil {
			n.cfg.Logger.Warn("notification not taken; trying again", "error", err.Error(), "wait", wait.String())
		}
		if retry.Wait(n.ctx, wait) != nil {
			return
		}
	}
	n.cfg.Logger.Error("notification cannot be read", slog.String("error", err.Error()))
}

// post is one try.
func (n *notifier) post(text []byte) error {
	request, err := http.NewRequestWithContext(n.ctx, http.MethodPost, n.cfg.Webhook, bytes.NewReader(text))
	if err != nil {
		return errors.New("the webhook's address is wrong")
	}
	request.Header.Set("Content-Type", "application/json")
	if n.cfg.Token != "" {
		request.Header.Set("Authorization", "Bearer "+n.cfg.Token)
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
