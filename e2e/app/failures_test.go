package main

import (
	"math"
	"testing"
)

const requests = 400_000

// failed counts failures, and the runs in which they come.
func failed(t *testing.T, how string, share float64) (n, runs int) {
	t.Helper()
	fails, err := failures(how)
	if err != nil {
		t.Fatal(err)
	}
	before := false
	for range requests {
		now := fails(share)
		if now {
			n++
			if !before {
				runs++
			}
		}
		before = now
	}
	return n, runs
}

func TestEachWayKeepsTheShare(t *testing.T) {
	for _, share := range []float64{0, 0.001, 0.02, 0.5, 1} {
		for how, tolerance := range map[string]float64{"even": 0.00001, "lot:7": 0.005, "clumps:7:20": 0.02} {
			n, _ := failed(t, how, share)
			if got := float64(n) / requests; math.Abs(got-share) > tolerance {
				t.Errorf("%s: %v of all fail, not %v", how, got, share)
			}
		}
	}
}

func TestClumpsAreAsLongAsTheyAreToBe(t *testing.T) {
	n, runs := failed(t, "clumps:7:20", 0.02)
	if mean := float64(n) / float64(runs); mean < 15 || mean > 25 {
		t.Errorf("%v in a row in the mean, not 20", mean)
	}
	if n, runs := failed(t, "lot:7", 0.02); float64(n)/float64(runs) > 1.1 {
		t.Errorf("by lot %d failures come in %d runs", n, runs)
	}
}

func TestWhatIsNoWayIsRefused(t *testing.T) {
	for _, how := range []string{"", "odd", "lot", "lot:x", "lot:-1", "clumps:7", "clumps:7:0", "clumps:7:NaN"} {
		if _, err := failures(how); err == nil {
			t.Errorf("%q is taken", how)
		}
	}
}
