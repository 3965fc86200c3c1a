package cache

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/tracing"
)

// traced makes each command a span. It names the command alone: keys hold owners and tokens.
type traced struct{}

// DialHook is part of redis.Hook.
func (traced) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook is part of redis.Hook.
func (traced) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if !tracing.Recording(ctx) {
			return next(ctx, command)
		}
		ctx, end := begin(ctx, strings.ToUpper(command.Name()))
		err := next(ctx, command)
		end(failure(err))
		return err
	}
}

// ProcessPipelineHook is part of redis.Hook.
func (traced) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if !tracing.Recording(ctx) {
			return next(ctx, commands)
		}
		ctx, end := begin(ctx, "PIPELINE")
		err := next(ctx, commands)
		end(failure(err))
		return err
	}
}

func begin(ctx context.Context, operation string) (context.Context, tracing.End) {
	return tracing.Start(ctx, trace.SpanKindClient, operation, attribute.String("db.system.name", "redis"),
		attribute.String("db.operation.name", operation))
}

// failure is err, unless it says only that nothing is kept under a key.
func failure(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
