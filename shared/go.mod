module github.com/schedgen/schedgen/shared

go 1.26.0
