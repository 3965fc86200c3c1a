module github.com/schedgen/schedgen/functions/calendar-generate

go 1.26.0

require github.com/schedgen/schedgen/shared v0.0.0

replace github.com/schedgen/schedgen/shared => ../../shared
