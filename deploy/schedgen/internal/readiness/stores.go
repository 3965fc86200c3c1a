package readiness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/redis/go-redis/v9"
)

// storeChecks ask Redis and the object store themselves.
func storeChecks() map[string]check {
	return map[string]check{
		"redis": {run: redisSetting, args: 2, says: "Redis' `$1` is `$2`, asked over --redis or as deployed",
			fix: "Start Redis with --$1 $2, as deploy/compose/compose.yml does.", command: "docker compose up -d redis"},
		"bucket": {run: bucket, says: "the bucket of PDFs exists, and who has no key reads nothing of it",
			fix: "Make the bucket with its users and policies.", command: "docker compose up -d --force-recreate minio-setup"},
	}
}

// redisSetting asks a running Redis; where none was named, the deployment tells how it is started.
func redisSetting(ctx context.Context, s *system, args []string) Finding {
	if s.Redis.IsZero() {
		return option(ctx, s, []string{"redis", "--" + args[0], args[1]})
	}
	o, err := redis.ParseURL(s.Redis.Reveal())
	if err != nil {
		return from(errors.New("--redis is not an address such as redis://:PASSWORD@host:6379/0")) // it may hold a password
	}
	client := redis.NewClient(o)
	defer client.Close() // nothing was written
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	told, err := client.ConfigGet(ctx, args[0]).Result()
	if err != nil {
		return from(fmt.Errorf("ask Redis for %s: %w", args[0], err))
	}
	want := args[1]
	if n, err := parseBytes(want); err == nil {
		want = strconv.FormatInt(n, 10)
	}
	if told[args[0]] != want {
		return failed("Redis' %s is %q instead of %s", args[0], told[args[0]], args[1])
	}
	return ok("Redis' %s is %s", args[0], args[1])
}

func bucket(ctx context.Context, s *system, _ []string) Finding {
	if s.S3.IsZero() {
		return from(notLooked{"no object store was named", "SCHEDGEN_S3=http://KEY:SECRET@host:9000/schedgen-pdfs schedgen readiness, where it can be reached"})
	}
	u, err := url.Parse(s.S3.Reveal())
	if err != nil || u.User == nil || strings.Trim(u.Path, "/") == "" {
		return from(errors.New("--s3 is not an address such as http://KEY:SECRET@host:9000/bucket")) // it may hold a secret
	}
	secret, _ := u.User.Password()
	client, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Scheme == "https", MaxRetries: 1})
	if err != nil {
		return from(fmt.Errorf("open the object store: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	name := strings.Trim(u.Path, "/")
	there, err := client.BucketExists(ctx, name)
	switch {
	case err != nil:
		return from(fmt.Errorf("ask the object store for the bucket %s: %w", name, err))
	case !there:
		return failed("there is no bucket %s", name)
	}
	object, err := anObject(ctx, client, name)
	switch {
	case err != nil:
		return from(notLooked{fmt.Sprintf("the bucket %s is there, and does not tell what is in it: %v", name, err), "give --s3 the keys of minio's root"})
	case object == "":
		return from(notLooked{"the bucket " + name + " is there, and has no PDF yet that a stranger could try to read", "ask again when something was uploaded"})
	}
	for _, try := range [][2]string{{"/", "list"}, {"/" + object, "read what is in"}} {
		u := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + name + try[0]}
		stranger, err := s.fetch(ctx, u.String(), "Range", "bytes=0-0")
		switch {
		case err != nil:
			return from(err)
		case stranger.status/100 == 2:
			return failed("everybody may %s the bucket %s", try[1], name)
		case stranger.status != http.StatusUnauthorized && stranger.status != http.StatusForbidden:
			return from(notLooked{fmt.Sprintf("without a key the bucket %s answers %d, which refuses nobody", name, stranger.status), "ask again when the object store is well"})
		}
	}
	return ok("the bucket %s is there; without a key nobody lists it or reads what is in it", name)
}

// anObject is the name of something in a bucket; "" if nothing is.
func anObject(ctx context.Context, client *minio.Client, bucket string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the list goes on otherwise
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true, MaxKeys: 1}) {
		return object.Key, object.Err
	}
	return "", ctx.Err()
}
