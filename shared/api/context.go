package api

import (
	"context"
	"log/slog"
)

type (
	requestIDKey struct{}
	loggerKey    struct{}
	errorCodeKey struct{}
)

// WithRequestID returns ctx with the id that names this request in answers and logs.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id given to WithRequestID, or empty.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithLogger returns ctx with the logger of this request, which carries its ids.
func WithLogger(ctx context.Context, logger *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, logger)
}

// Logger is the logger given to WithLogger, or the process's.
func Logger(ctx context.Context) *slog.Logger {
	if logger, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return logger
	}
	return slog.Default()
}

// WithErrorCode returns ctx in which WriteError puts the code of its answer into code, for the request's log line and
// metrics.
func WithErrorCode(ctx context.Context, code *string) context.Context {
	return context.WithValue(ctx, errorCodeKey{}, code)
}

// noteErrorCode puts code where WithErrorCode asked for it.
func noteErrorCode(ctx context.Context, code string) {
	if noted, ok := ctx.Value(errorCodeKey{}).(*string); ok {
		*noted = code
	}
}
