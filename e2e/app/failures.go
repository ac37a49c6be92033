package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
)

// failures tells how those requests are chosen that fail; FAILURES in main.go says in which words.
func failures(how string) (func(share float64) bool, error) {
	words := strings.Split(how, ":")
	switch {
	case how == "even":
		return locked(even()), nil
	case words[0] == "lot" && len(words) == 2:
		lot, err := drawn(words[1])
		if err != nil {
			return nil, err
		}
		return locked(func(share float64) bool { return lot.Float64() < share }), nil
	case words[0] == "clumps" && len(words) == 3:
		lot, err := drawn(words[1])
		if err != nil {
			return nil, err
		}
		length, err := strconv.ParseFloat(words[2], 64)
		if err != nil || !(length >= 1) {
			return nil, fmt.Errorf("%q is no length: clumps have 1 or more", words[2])
		}
		return locked(clumps(lot, length)), nil
	}
	return nil, fmt.Errorf("%q is neither even, lot:SEED nor clumps:SEED:LENGTH", how)
}

// even spreads failures, so that the share of them is exact and not drawn by lot.
func even() func(float64) bool {
	n := 0.0
	return func(share float64) bool {
		n++
		return math.Floor(n*share) > math.Floor((n-1)*share)
	}
}

// clumps begins a run of failures as seldom as keeps the share, and ends it after so many in the mean.
func clumps(lot *rand.Rand, length float64) func(float64) bool {
	failing := false
	return func(share float64) bool {
		switch {
		case share <= 0 || share >= 1:
			failing = share >= 1
		case failing:
			failing = lot.Float64() >= 1/length
		default:
			failing = lot.Float64() < share/(length*(1-share))
		}
		return failing
	}
}

// drawn is what lots are drawn with: pods of one seed do not draw the same, or they would fail together.
func drawn(seed string) (*rand.Rand, error) {
	number, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no seed", seed)
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	pod := fnv.New64a()
	pod.Write([]byte(name))
	return rand.New(rand.NewPCG(number, pod.Sum64())), nil
}

func locked(fails func(float64) bool) func(float64) bool {
	var mu sync.Mutex
	return func(share float64) bool {
		mu.Lock()
		defer mu.Unlock()
		return fails(share)
	}
}
