// Package effort counts the steps of the loops whose cost could grow faster than what a page holds. Nothing depends on
// the count: tests hold with it that twice as much takes hardly more than twice as long, whatever the machine.
package effort

import "sync/atomic"

var steps atomic.Int64

// Add counts n more steps.
func Add(n int) { steps.Add(int64(n)) }

// Steps is how many were counted so far, of all goroutines.
func Steps() int64 { return steps.Load() }
