module github.com/schedgen/schedgen/deploy/schedgen

go 1.26.0

require (
	github.com/google/uuid v1.6.0
	github.com/schedgen/schedgen/functions/calendar-generate v0.0.0
	github.com/schedgen/schedgen/functions/google-sync v0.0.0
	github.com/schedgen/schedgen/functions/pdf-parse v0.0.0
	github.com/schedgen/schedgen/shared v0.0.0
)

require (
	dario.cat/mergo v1.0.1 // indirect
	github.com/Masterminds/goutils v1.1.1 // indirect
	github.com/Masterminds/semver/v3 v3.5.0 // indirect
	github.com/Masterminds/sprig/v3 v3.3.0 // indirect
	github.com/coreos/go-oidc/v3 v3.21.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.4 // indirect
	github.com/hhrutter/tiff v1.0.6 // indirect
	github.com/huandu/xstrings v1.5.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/jackc/tern/v2 v2.3.4 // indirect
	github.com/mitchellh/copystructure v1.2.0 // indirect
	github.com/mitchellh/reflectwalk v1.0.2 // indirect
	github.com/pdfcpu/pdfcpu v0.15.0 // indirect
	github.com/rickar/cal/v2 v2.1.13 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	github.com/spf13/cast v1.7.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/image v0.44.0 // indirect
	golang.org/x/oauth2 v0.38.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/schedgen/schedgen/functions/calendar-generate => ../../functions/calendar-generate
	github.com/schedgen/schedgen/functions/google-sync => ../../functions/google-sync
	github.com/schedgen/schedgen/functions/pdf-parse => ../../functions/pdf-parse
	github.com/schedgen/schedgen/functions/upload-ingest => ../../functions/upload-ingest
	github.com/schedgen/schedgen/shared => ../../shared
)
