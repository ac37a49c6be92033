package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	version   = cmp.Or(os.Getenv("VERSION"), "v1")
	errorRate atomic.Uint64 // float64 bits
	latency   atomic.Int64  // nanoseconds
	unready   atomic.Bool
	cartFails atomic.Bool
	// Whether the next request fails, where this share of them does.
	fails func(share float64) bool
)

func setFault(rate, lat, ready, cart string) error {
	if rate != "" {
		f, err := strconv.ParseFloat(rate, 64)
		if err != nil {
			return err
		}
		errorRate.Store(math.Float64bits(f))
	}
	if lat != "" {
		d, err := time.ParseDuration(lat)
		if err != nil {
			return err
		}
		latency.Store(int64(d))
	}
	if ready != "" {
		is, err := strconv.ParseBool(ready)
		if err != nil {
			return err
		}
		unready.Store(!is)
	}
	if cart != "" {
		is, err := strconv.ParseBool(cart)
		if err != nil {
			return err
		}
		cartFails.Store(!is)
	}
	return nil
}

// work counts each request before its answer leaves, so that the counters equal what clients saw.
func work(w http.ResponseWriter, r *http.Request) {
	start, status := time.Now(), http.StatusOK
	if l := latency.Load(); l > 0 {
		time.Sleep(time.Duration(rand.ExpFloat64() * float64(l)))
	}
	if fails(math.Float64frombits(errorRate.Load())) {
		status = http.StatusInternalServerError
	}
	observe(status, time.Since(start))
	w.Header().Set("X-Version", version)
	w.WriteHeader(status)
	fmt.Fprintln(w, version)
}

func env(name string) time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv(name), "0s"))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return d
}

func serve() {
	if err := setFault(os.Getenv("ERROR_RATE"), os.Getenv("LATENCY"), "", ""); err != nil {
		log.Fatal(err)
	}
	if _, set := os.LookupEnv("CRASH"); set {
		after := env("CRASH")
		if after == 0 {
			log.Fatal("crash: at the start")
		}
		time.AfterFunc(after, func() { log.Fatalf("crash: after %v", after) })
	}
	how, err := failures(cmp.Or(os.Getenv("FAILURES"), "even"))
	if err != nil {
		log.Fatalf("FAILURES: %v", err)
	}
	fails = how
	delay, started := env("START_DELAY"), time.Now()
	if _, never := os.LookupEnv("NEVER_READY"); never {
		unready.Store(true)
	}

	http.HandleFunc("/", work)
	http.HandleFunc("/metrics", metrics)
	// What no user asks for, and a check does.
	http.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) {
		if cartFails.Load() {
			http.Error(w, "no cart", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "cart of %s\n", version)
	})
	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {
		if unready.Load() || time.Since(started) < delay {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("PUT /fault", func(w http.ResponseWriter, r *http.Request) {
		if err := setFault(r.FormValue("error_rate"), r.FormValue("latency"), r.FormValue("ready"), r.FormValue("cart")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})

	srv := &http.Server{Addr: cmp.Or(os.Getenv("ADDR"), ":8080")}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		time.Sleep(2 * time.Second) // endpoints are withdrawn before the listener closes
		srv.Shutdown(context.Background())
	}()
	log.Printf("app %s listening on %s", version, srv.Addr)
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-drained
	log.Print("stopped")
}
