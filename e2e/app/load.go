package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// An answer is one line of the record: sent_ms,took_us,version,status. Version is "-" where
// no application answered; status is 0 where nobody did, and the error follows as a fifth field.
type answer struct {
	sent    time.Time
	took    time.Duration
	version string
	status  int
	err     string
}

// load sends requests at a fixed rate whether or not earlier ones were answered, and records every
// answer, until its time is over or it is told to stop; then it waits for what is under way.
func load(args []string) {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	rate := flags.Float64("rate", 100, "requests per second")
	seconds := flags.Float64("seconds", 0, "duration; 0: until SIGTERM")
	host := flags.String("host", "", "Host header")
	alone := flags.Bool("alone", false, "a connection for each request, as where a Service spreads connections")
	out := flags.String("out", "/dev/stdout", "file for the record")
	flags.Parse(args)

	file, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if *seconds > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds*float64(time.Second)))
		defer cancel()
	}

	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second, DisableCompression: true, DisableKeepAlives: *alone,
	}}
	answers := make(chan answer, 1024)
	var sending, writing sync.WaitGroup
	writing.Go(func() { record(file, answers) })
	start := time.Now()
	for n := 0; ; n++ {
		due := start.Add(time.Duration(float64(n) / *rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			sending.Wait()
			close(answers)
			writing.Wait()
			return
		case <-time.After(time.Until(due)):
			sending.Go(func() { answers <- ask(client, flags.Arg(0), *host) })
		}
	}
}

func ask(client *http.Client, url, host string) (a answer) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Host = host
	a = answer{sent: time.Now(), version: "-"}
	defer func() { a.took = time.Since(a.sent) }()
	r, err := client.Do(req)
	if err != nil {
		a.err = err.Error()
		return a
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		a.err = err.Error()
		return a
	}
	a.version, a.status = cmp.Or(r.Header.Get("X-Version"), "-"), r.StatusCode
	return a
}

// record writes answers as they come and flushes twice a second, so that a reader can follow.
func record(file *os.File, answers <-chan answer) {
	w := bufio.NewWriter(file)
	flush := time.NewTicker(500 * time.Millisecond)
	for {
		select {
		case <-flush.C:
			w.Flush()
		case a, open := <-answers:
			if !open {
				w.Flush()
				file.Close()
				return
			}
			fmt.Fprintf(w, "%d,%d,%s,%d", a.sent.UnixMilli(), a.took.Microseconds(), a.version, a.status)
			if a.err != "" {
				fmt.Fprintf(w, ",%q", a.err)
			}
			w.WriteByte('\n')
		}
	}
}
