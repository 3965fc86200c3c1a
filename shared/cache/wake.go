package cache

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// channel is where the news of one topic is told.
func channel(topic string) string { return "schedgen:wake:" + topic }

// Wake tells whoever waits for topic, in any process, to look again.
func (c *Cache) Wake(ctx context.Context, topic string) {
	_ = c.Do(ctx, func(ctx context.Context, client *redis.Client) error { // a favour: who waits polls too
		return client.Publish(ctx, channel(topic), "1").Err()
	})
}

// Wait subscribes to topic. The channel gets a value with each Wake, and is closed when no more can
// come: Redis is away, ctx ended, or stop was called, which it must be. A Wake from before Wait is
// not seen, so look once after Wait; and poll slowly, for a Wake may be lost.
func (c *Cache) Wait(ctx context.Context, topic string) (woken <-chan struct{}, stop func()) {
	news := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	var subscription *redis.PubSub
	err := c.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		subscription = client.Subscribe(ctx, channel(topic))
		_, err := subscription.Receive(ctx) // the server's word that it listens
		return err
	})
	if err != nil {
		cancel()
		if subscription != nil {
			_ = subscription.Close() // it never worked
		}
		close(news)
		return news, func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(news)
		relay(ctx, subscription, news)
	}()
	return news, func() {
		cancel()
		_ = subscription.Close() // ends the relay's read as well
		<-done
	}
}

// relay passes messages on until the subscription or ctx ends. It coalesces: one value says "look".
func relay(ctx context.Context, subscription *redis.PubSub, news chan<- struct{}) {
	for {
		if _, err := subscription.ReceiveMessage(ctx); err != nil {
			return
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}
