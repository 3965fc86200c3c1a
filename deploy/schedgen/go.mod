module github.com/schedgen/schedgen/deploy/schedgen

go 1.26.0

require (
	github.com/schedgen/schedgen/functions/calendar-generate v0.0.0
	github.com/schedgen/schedgen/functions/pdf-parse v0.0.0
	github.com/schedgen/schedgen/shared v0.0.0
)

require (
	github.com/hhrutter/tiff v1.0.6 // indirect
	github.com/pdfcpu/pdfcpu v0.15.0 // indirect
	github.com/rickar/cal/v2 v2.1.13 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/image v0.44.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/schedgen/schedgen/functions/calendar-generate => ../../functions/calendar-generate
	github.com/schedgen/schedgen/functions/pdf-parse => ../../functions/pdf-parse
	github.com/schedgen/schedgen/functions/upload-ingest => ../../functions/upload-ingest
	github.com/schedgen/schedgen/shared => ../../shared
)
