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
	if s.Redis == "" {
		return option(ctx, s, []string{"redis", "--" + args[0], args[1]})
	}
	o, err := redis.ParseURL(s.Redis)
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
	if s.S3 == "" {
		return from(notLooked{"no object store was named", "SCHEDGEN_S3=http://KEY:SECRET@host:9000/schedgen-pdfs schedgen readiness, where it can be reached"})
	}
	u, err := url.Parse(s.S3)
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
	stranger, err := s.fetch(ctx, u.Scheme+"://"+u.Host+"/"+name+"/?list-type=2")
	switch {
	case err != nil:
		return from(err)
	case stranger.status == http.StatusOK:
		return failed("everybody may list the bucket %s", name)
	}
	return ok("the bucket %s is there; without a key it answers %d", name, stranger.status)
}
