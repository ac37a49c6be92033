package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

var (
	buckets = []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .25, .3, .5, 1, 2.5, 5}

	mu     sync.Mutex
	counts = map[int]uint64{}
	hist   = make([]uint64, len(buckets)+1)
	sum    float64
)

func observe(status int, took time.Duration) {
	d, i := took.Seconds(), 0
	for i < len(buckets) && d > buckets[i] {
		i++
	}
	mu.Lock()
	defer mu.Unlock()
	counts[status]++
	hist[i]++
	sum += d
}

func metrics(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	defer mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for _, status := range []int{200, 500} { // both from the start, so that rate() sees the first failure
		fmt.Fprintf(w, "http_requests_total{status=\"%d\",version=%q} %d\n", status, version, counts[status])
	}
	fmt.Fprintln(w, "# TYPE http_request_duration_seconds histogram")
	n := uint64(0)
	for i, b := range buckets {
		n += hist[i]
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{version=%q,le=\"%g\"} %d\n", version, b, n)
	}
	n += hist[len(buckets)]
	fmt.Fprintf(w, "http_request_duration_seconds_bucket{version=%q,le=\"+Inf\"} %d\n", version, n)
	fmt.Fprintf(w, "http_request_duration_seconds_sum{version=%q} %g\n", version, sum)
	fmt.Fprintf(w, "http_request_duration_seconds_count{version=%q} %d\n", version, n)
}
