package blob

import (
	"context"
	"fmt"

	"github.com/minio/minio-go/v7/pkg/notification"
)

// Notify asks the server to tell the target of that ARN (MinIO: arn:minio:sqs::<name>:webhook) of
// every PDF that is stored in uploads/ of the bucket. What else the bucket tells whom stays as it is.
func (s *Store) Notify(ctx context.Context, arn string) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.ensure(ctx); err != nil {
		return err
	}
	target, err := notification.NewArnFromString(arn)
	if err != nil {
		return fmt.Errorf("read the ARN %q: %w", arn, err)
	}
	queue := notification.NewConfig(target)
	queue.AddEvents(notification.ObjectCreatedAll)
	queue.AddFilterPrefix("uploads/")
	queue.AddFilterSuffix(".pdf")
	all, err := s.client.GetBucketNotification(ctx, s.cfg.Bucket)
	if err != nil {
		return s.failed("read the subscriptions of bucket", s.cfg.Bucket, err)
	}
	all.RemoveQueueByArn(target)
	all.AddQueue(queue)
	if err := s.client.SetBucketNotification(ctx, s.cfg.Bucket, all); err != nil {
		return s.failed("subscribe to bucket", s.cfg.Bucket, err)
	}
	return nil
}
