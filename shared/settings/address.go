package settings

import "net/url"

// IsWebAddress reports whether text is the address of a web server: http or https, with a host.
func IsWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
