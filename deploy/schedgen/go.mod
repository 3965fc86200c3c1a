module github.com/schedgen/schedgen/deploy/schedgen

go 1.26.0

require (
	github.com/schedgen/schedgen/functions/calendar-generate v0.0.0
	github.com/schedgen/schedgen/functions/pdf-parse v0.0.0
	github.com/schedgen/schedgen/functions/upload-ingest v0.0.0
	github.com/schedgen/schedgen/shared v0.0.0
)

replace (
	github.com/schedgen/schedgen/functions/calendar-generate => ../../functions/calendar-generate
	github.com/schedgen/schedgen/functions/pdf-parse => ../../functions/pdf-parse
	github.com/schedgen/schedgen/functions/upload-ingest => ../../functions/upload-ingest
	github.com/schedgen/schedgen/shared => ../../shared
)
