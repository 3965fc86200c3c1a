package fakegoogle

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// code is an authorization code.
type code struct {
	grant                      *grant
	redirect, challenge, nonce string
	offline                    bool
	expires                    time.Time
	used                       bool
}

// grant is what a person let a program do.
type grant struct {
	user    *user
	client  string
	scopes  []string
	expires time.Time // of an access token
}

// codeLife is short (RFC 6749 section 4.1.2: ten minutes at most).
const codeLife = 10 * time.Minute

const calendarScopes = "https://www.googleapis.com/auth/calendar"

func (s *Server) signInRoutes() {
	s.mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	s.mux.HandleFunc("GET /o/oauth2/v2/auth", s.authorizePage)
	s.mux.HandleFunc("POST /o/oauth2/v2/auth", s.agree)
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("POST /revoke", s.revoke)
	s.mux.HandleFunc("GET /oauth2/v3/certs", s.certs)
	s.mux.HandleFunc("GET /{$}", s.overview)
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	base := s.cfg.BaseURL
	writeJSON(w, http.StatusOK, object{
		"issuer": base, "authorization_endpoint": base + "/o/oauth2/v2/auth", "token_endpoint": base + "/token",
		"revocation_endpoint": base + "/revoke", "jwks_uri": base + "/oauth2/v3/certs",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post"}, "scopes_supported": []string{"openid", "email", "profile"},
	})
}

// authorization is a request for a sign-in that was checked.
type authorization struct {
	client *Client
	query  url.Values
	scopes []string
}

// authorizeParams are those that a web server's program may send, with what they may be
// (developers.google.com/identity/protocols/oauth2/web-server).
var authorizeParams = sync.OnceValue(func() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"client_id": nil, "redirect_uri": nil, "scope": nil, "state": nil, "nonce": nil, "login_hint": nil,
		"response_type": regexp.MustCompile(`^code$`), "access_type": regexp.MustCompile(`^(online|offline)$`),
		"include_granted_scopes": regexp.MustCompile(`^(true|false)$`), "prompt": regexp.MustCompile(`^(none|consent|select_account)( (consent|select_account))?$`),
		"code_challenge": regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`), "code_challenge_method": regexp.MustCompile(`^S256$`),
	}
})

// readAuthorization checks what a program sends people with. Its mistakes are told to the person and not
// sent back, because it is not yet known that the address belongs to the program.
func (s *Server) readAuthorization(query url.Values) (a authorization, wrong string) {
	for name, values := range query {
		form, ok := authorizeParams()[name]
		if !ok || len(values) != 1 {
			return a, "unknown or repeated parameter " + name
		}
		if form != nil && !form.MatchString(values[0]) {
			return a, "the parameter " + name + " has a value that is not allowed"
		}
	}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"} {
		if query.Get(name) == "" {
			return a, "the parameter " + name + " is missing"
		}
	}
	at := slices.IndexFunc(s.cfg.Clients, func(c Client) bool { return c.ID == query.Get("client_id") })
	if at < 0 {
		return a, "the client_id is not known"
	}
	if !slices.Contains(s.cfg.Clients[at].Redirects, query.Get("redirect_uri")) {
		return a, "the redirect_uri is not one of the client's (redirect_uri_mismatch)"
	}
	scopes := strings.Fields(query.Get("scope"))
	for _, scope := range scopes {
		if !slices.Contains([]string{"openid", "email", "profile"}, scope) && !strings.HasPrefix(scope, calendarScopes) {
			return a, "the scope " + scope + " is not known"
		}
	}
	return authorization{&s.cfg.Clients[at], query, scopes}, ""
}

// agree answers the form of the sign-in page: back to the program, with a code or without.
func (s *Server) agree(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	query, err := url.ParseQuery(r.PostForm.Get("request"))
	if err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	a, wrong := s.readAuthorization(query)
	if wrong != "" {
		s.violated(r, wrong)
		s.wrongPage(w, wrong)
		return
	}
	back := url.Values{"state": {query.Get("state")}}
	who := s.person(r.PostForm.Get("email"))
	switch {
	case r.PostForm.Get("answer") != "allow":
		back.Set("error", "access_denied")
	case who == nil:
		http.Error(w, "no person has this address", http.StatusBadRequest)
		return
	default:
		granted := allowed(a.scopes, r.PostForm)
		back.Set("code", s.newCode(a, who, granted))
		back.Set("scope", strings.Join(granted, " "))
	}
	target, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "the redirect_uri is no address", http.StatusBadRequest)
		return
	}
	target.RawQuery = back.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// allowed leaves out the calendar scopes that the person unticked. The person's identity cannot be unticked.
func allowed(asked []string, form url.Values) []string {
	if !form.Has("choosing") {
		return asked
	}
	return slices.DeleteFunc(slices.Clone(asked), func(scope string) bool {
		return strings.HasPrefix(scope, calendarScopes) && !slices.Contains(form["scope"], scope)
	})
}

func (s *Server) person(email string) *user {
	for _, u := range s.users {
		if u.Email == email {
			return u
		}
	}
	return nil
}

// newCode makes a code. A refresh token comes of it only where the person agrees for the first time or was
// asked to agree again, as Google has it.
func (s *Server) newCode(a authorization, who *user, scopes []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	pair := who.Email + " " + a.client.ID
	offline := a.query.Get("access_type") == "offline" && (!s.agreed[pair] || strings.Contains(a.query.Get("prompt"), "consent"))
	s.agreed[pair] = true
	maps.DeleteFunc(s.codes, func(_ string, c *code) bool { return c.expires.Before(s.cfg.Now()) })
	value := "4/" + rand.Text()
	s.codes[value] = &code{
		grant: &grant{user: who, client: a.client.ID, scopes: scopes}, redirect: a.query.Get("redirect_uri"),
		challenge: a.query.Get("code_challenge"), nonce: a.query.Get("nonce"), offline: offline, expires: s.cfg.Now().Add(codeLife),
	}
	return value
}

// token answers the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || len(r.URL.RawQuery) > 0 {
		tokenProblem(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if f := s.fault("token"); f != nil && f.apply(w, r) {
		return
	}
	form := r.PostForm
	at := slices.IndexFunc(s.cfg.Clients, func(c Client) bool { return c.ID == form.Get("client_id") })
	if at < 0 || subtle.ConstantTimeCompare([]byte(s.cfg.Clients[at].Secret), []byte(form.Get("client_secret"))) != 1 {
		tokenProblem(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form.Get("grant_type") {
	case "authorization_code":
		s.exchange(w, form)
	case "refresh_token":
		g, ok := s.refresh[form.Get("refresh_token")]
		if !ok || g.client != form.Get("client_id") {
			tokenProblem(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		writeJSON(w, http.StatusOK, s.accessToken(g))
	default:
		tokenProblem(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

// exchange turns a code into tokens. One that comes twice was stolen: all that came of it ends
// (RFC 6749 section 4.1.2).
func (s *Server) exchange(w http.ResponseWriter, form url.Values) {
	c, ok := s.codes[form.Get("code")]
	verifier := form.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case !ok, c.expires.Before(s.cfg.Now()), c.grant.client != form.Get("client_id"), c.redirect != form.Get("redirect_uri"),
		len(verifier) < 43 || len(verifier) > 128, base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge:
		tokenProblem(w, http.StatusBadRequest, "invalid_grant")
		return
	case c.used:
		s.end(c.grant)
		tokenProblem(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	c.used = true
	answer := s.accessToken(c.grant)
	answer["id_token"] = s.idToken(c)
	if c.offline {
		token := "1//" + rand.Text() + rand.Text()
		s.refresh[token] = c.grant
		answer["refresh_token"] = token
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) accessToken(g *grant) object {
	maps.DeleteFunc(s.access, func(_ string, g *grant) bool { return g.expires.Before(s.cfg.Now()) })
	token := "ya29." + rand.Text() + rand.Text()
	s.access[token] = &grant{user: g.user, client: g.client, scopes: g.scopes, expires: s.cfg.Now().Add(s.cfg.TokenLife)}
	return object{"access_token": token, "token_type": "Bearer", "expires_in": int(s.cfg.TokenLife.Seconds()), "scope": strings.Join(g.scopes, " ")}
}

// end takes back all tokens of a person for a program.
func (s *Server) end(g *grant) {
	for _, tokens := range []map[string]*grant{s.access, s.refresh} {
		for token, other := range tokens {
			if other.user == g.user && other.client == g.client {
				delete(tokens, token)
			}
		}
	}
}

// idToken says who signed in (OpenID Connect Core 1.0 section 2), signed with RS256.
func (s *Server) idToken(c *code) string {
	now := s.cfg.Now()
	claims := object{
		"iss": s.cfg.BaseURL, "aud": c.grant.client, "azp": c.grant.client, "sub": c.grant.user.subject, "email": c.grant.user.Email,
		"email_verified": true, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	if slices.Contains(c.grant.scopes, "profile") {
		c.grant.user.profile(claims)
	}
	body := segment(object{"alg": "RS256", "typ": "JWT", "kid": "strict"}) + "." + segment(claims)
	sum := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.signing, crypto.SHA256, sum[:])
	if err != nil {
		return "" // only a key that is too short fails
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// profile adds what the scope of that name is for. Google leaves out what a person does not have.
func (u *user) profile(claims object) {
	given, family, _ := strings.Cut(u.Name, " ")
	for name, value := range map[string]string{"name": u.Name, "given_name": given, "family_name": family, "picture": u.Picture} {
		if value != "" {
			claims[name] = value
		}
	}
}

func segment(o object) string {
	data, _ := json.Marshal(o) // strings and numbers
	return base64.RawURLEncoding.EncodeToString(data)
}

func (s *Server) certs(w http.ResponseWriter, _ *http.Request) {
	key := s.signing.PublicKey
	writeJSON(w, http.StatusOK, object{"keys": []object{{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "strict", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}})
}

// revoke ends a token and all others of its grant (RFC 7009).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		tokenProblem(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if f := s.fault("revoke"); f != nil && f.apply(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.PostForm.Get("token")
	g := s.refresh[token]
	if g == nil {
		g = s.access[token]
	}
	if g == nil {
		tokenProblem(w, http.StatusBadRequest, "invalid_token")
		return
	}
	s.end(g)
	delete(s.agreed, g.user.Email+" "+g.client)
	w.WriteHeader(http.StatusOK)
}

// RefreshTokens counts the refresh tokens that hold.
func (s *Server) RefreshTokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.refresh)
}

func tokenProblem(w http.ResponseWriter, status int, reason string) {
	writeJSON(w, status, object{"error": reason, "error_description": "see the name of the error"})
}

// authorize checks a call's token and that it may do what it asks for.
func (s *Server) authorize(c *call, r *http.Request) *problem {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	if !ok || g == nil || g.expires.Before(s.cfg.Now()) {
		return &problem{http.StatusUnauthorized, "authError", "Invalid Credentials"}
	}
	if !g.has(c.method.Scopes...) {
		return &problem{http.StatusForbidden, "insufficientPermissions", "Request had insufficient authentication scopes."}
	}
	c.grant, c.user = g, g.user
	return nil
}

func (g *grant) has(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(g.scopes, scope) })
}

// onlyCreated reports whether the grant may use a method only on calendars that the program made.
func (g *grant) onlyCreated(m method) bool {
	const created = calendarScopes + ".app.created"
	others := slices.DeleteFunc(slices.Clone(m.Scopes), func(scope string) bool { return scope == created })
	return !g.has(others...)
}
