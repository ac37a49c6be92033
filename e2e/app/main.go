// app is a small HTTP server whose failures and latency are set by the environment,
// and the client that loads it.
//
//	VERSION      label and body of every answer (default v1)
//	ERROR_RATE   share of requests answered 500 (0..1)
//	FAILURES     which ones: even (default: spread evenly, so that the share is exact), lot:SEED (each drawn
//	             by lot), or clumps:SEED:LENGTH (drawn so that they come LENGTH in a row, in the mean)
//	LATENCY      mean latency, exponentially distributed (Go duration)
//	START_DELAY  time before /ready answers 200
//	NEVER_READY  if set, /ready does not answer 200 until it is told to
//	CRASH        time after which the process exits with 1 (0s: at its start)
//
// GET /metrics serves http_requests_total{status,version} and
// http_request_duration_seconds{version}. PUT /fault?error_rate=0.1&latency=20ms&ready=false
// changes the faults of a running process, and whether /ready answers 200.
//
//	app get URL              prints a page (for `kubectl exec`)
//	app load -h              the load client
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "get":
		get(os.Args[2])
	case len(os.Args) > 2 && os.Args[1] == "load":
		load(os.Args[2:])
	default:
		serve()
	}
}

func get(url string) {
	c := http.Client{Timeout: 5 * time.Second}
	r, err := c.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, r.Body)
	if r.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}
