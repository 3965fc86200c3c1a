// Command bare is the least that a server in Go is: what a function's start is compared with.
package main

import (
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
