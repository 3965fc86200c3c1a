package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/schedgen/schedgen/shared/api"
)

// DownError says that PostgreSQL could not be asked: it is away, starting, stopping or full. What
// was asked may or may not have happened.
type DownError struct{ Err error }

func (e *DownError) Error() string { return "database unavailable: " + e.Err.Error() }

func (e *DownError) Unwrap() error { return e.Err }

// Unavailable is the CODE that package api answers.
func (e *DownError) Unavailable() string { return api.DatabaseUnavailable }

// outage wraps err in a DownError if the server, not the statement or the caller, is what failed.
func outage(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	var already *DownError
	if errors.As(err, &already) || !away(err) {
		return err
	}
	return &DownError{Err: err}
}

// away tells failures of the server or the way to it from those of a statement.
func away(err error) bool {
	// Who is not let in cannot ask anything: no such database, none accepted now, a password that has changed.
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		// Class 57P: shutting down or starting; 53: out of connections, memory or disk;
		// 08: connection; 57014: the statement timeout; 25006: a standby.
		return strings.HasPrefix(server.Code, "57P") || strings.HasPrefix(server.Code, "53") ||
			strings.HasPrefix(server.Code, "08") || server.Code == "57014" || server.Code == "25006"
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || // ours: the caller's context still lives
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}
