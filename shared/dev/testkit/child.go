package testkit

import "strings"

// uncovered is what Go writes where a program that measures its coverage ends with no place to write that to, as a test's
// own program does when it is the child of the test.
const uncovered = "warning: GOCOVERDIR not set, no coverage data emitted\n"

// ChildErrors is what such a child itself wrote on standard error.
func ChildErrors(stderr string) string { return strings.ReplaceAll(stderr, uncovered, "") }
