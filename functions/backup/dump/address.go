package dump

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// address is a database as its programs are told of it: what others may see in the list of
// processes, and what only the child's environment holds.
type address struct {
	uri      string
	password string
}

// libpq are the parameters of an address that PostgreSQL's own programs know; they refuse others,
// such as those of our pool.
var libpq = []string{"host", "port", "user", "dbname", "hostaddr", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl",
	"connect_timeout", "application_name", "options", "target_session_attrs", "gssencmode", "channel_binding",
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}

// errAddress does not quote the address, which may hold a password.
var errAddress = errors.New("the database's address is not like postgres://user@host:5432/schedgen")

// parseAddress takes an address apart.
func parseAddress(dsn string) (address, error) {
	u, err := parseURL(dsn)
	if err != nil {
		return address{}, err
	}
	var a address
	if u.User != nil {
		a.password, _ = u.User.Password()
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	if given := query.Get("password"); given != "" {
		a.password = given
	}
	for name := range query {
		if !slices.Contains(libpq, name) {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	a.uri = u.String()
	return a, nil
}

func parseURL(dsn string) (*url.URL, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || strings.Trim(u.Path, "/") == "" {
		return nil, errAddress
	}
	return u, nil
}

// WithDatabase is dsn with the name of another database of the same server.
func WithDatabase(dsn, name string) (string, error) {
	u, err := parseURL(dsn)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// DatabaseName is the database that dsn names.
func DatabaseName(dsn string) (string, error) {
	u, err := parseURL(dsn)
	if err != nil {
		return "", err
	}
	return strings.Trim(u.Path, "/"), nil
}
