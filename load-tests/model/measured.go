package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// measured is a report: its rows by their first cell, each with its numbers.
type measured struct {
	scenario string
	cores    float64 // of the machine
	rows     map[string][]float64
}

// functions are those that a student's visit needs, in the order of the way of a PDF.
var functions = []string{"upload-ingest", "pdf-parse", "calendar-generate"}

// costs is what one visit costs: upload, result, file and feed.
type costs struct {
	cores    float64            // of the machine that was measured
	machine  float64            // processor time of all programs, the load's own with them, in seconds
	function map[string]float64 // processor time of a function, in seconds
	upload   float64            // how long an upload takes where nothing else is done, in seconds
}

// base is the scenario that costs are taken from, idle the one that tells how long an upload takes on an idle machine.
const base, idle = "upload", "baseline"

// uploads is the row of uploads: how many, and their times in milliseconds, the median first.
const uploads = "`http_req_duration{name:upload}`"

// machine is what a report says of it.
var machine = regexp.MustCompile(`, on (\d+) cores of `)

// readReports reads the reports of a folder, and takes from them what a visit costs.
func readReports(dir string) (costs, []measured, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return costs{}, nil, err
	}
	var runs []measured
	known := map[string]measured{}
	for _, path := range paths {
		page, err := os.ReadFile(path)
		if err != nil {
			return costs{}, nil, err
		}
		m := measured{scenario: strings.TrimSuffix(filepath.Base(path), ".md"), rows: tables(string(page))}
		if found := machine.FindStringSubmatch(string(page)); found != nil {
			m.cores, _ = strconv.ParseFloat(found[1], 64) // digits
		}
		runs = append(runs, m)
		known[m.scenario] = m
	}
	if known[base].rows == nil || known[idle].rows == nil {
		return costs{}, nil, fmt.Errorf("%s has no report of %s and %s: run make load SCENARIO=%s and SCENARIO=%s", dir, base, idle, base, idle)
	}
	c, err := known[base].costs()
	if err != nil {
		return costs{}, nil, err
	}
	if c.upload, err = known[idle].number(uploads, 1); err != nil {
		return costs{}, nil, err
	}
	c.upload /= 1000
	return c, runs, nil
}

// tables gives the numbers of each row of a page's tables.
func tables(page string) map[string][]float64 {
	rows := map[string][]float64{}
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		var numbers []float64
		for _, cell := range cells[1:] {
			if n, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err == nil {
				numbers = append(numbers, n)
			}
		}
		if len(numbers) > 0 {
			rows[strings.TrimSpace(cells[0])] = numbers
		}
	}
	return rows
}

// number is the n-th number of a row.
func (m measured) number(row string, n int) (float64, error) {
	if numbers := m.rows[row]; n < len(numbers) {
		return numbers[n], nil
	}
	return 0, fmt.Errorf("the report of %s has no %s: run it again", m.scenario, row)
}

// rate is how many uploads there were in a second. How long the run lasted is what iterations tell.
func (m measured) rate() (float64, error) {
	count, err := m.number(uploads, 0)
	iterations, other := m.number("`iterations`", 0)
	perSecond, another := m.number("`iterations`", 1)
	return count * perSecond / iterations, cmp.Or(err, other, another)
}

// costs are what a visit cost in a run. Of a use the last number but one is its median in the last quarter, the last its
// most; processor time only grows, so its most is all of it.
func (m measured) costs() (costs, error) {
	c := costs{cores: m.cores, function: map[string]float64{}}
	if c.cores == 0 {
		return c, fmt.Errorf("the report of %s does not say on how many cores it was made: run it again", m.scenario)
	}
	visits, err := m.number(uploads, 0)
	if err != nil {
		return c, err
	}
	if c.machine, err = m.number("machine: processor, s", 3); err != nil {
		return c, err
	}
	c.machine /= visits
	for _, name := range functions {
		spent, err := m.number(name+": processor, s", 3)
		if err != nil {
			return c, err
		}
		c.function[name] = spent / visits
	}
	return c, nil
}

// service is a line of the scaling table.
type service struct {
	Concurrency int `json:"concurrency"` // requests that an instance serves at once
	MinScale    int `json:"minScale"`
	MaxScale    int `json:"maxScale"`
	Limits      struct {
		CPU quantity `json:"cpu"`
	} `json:"limits"`
}

// quantity is a number of cores as Kubernetes writes it, such as 2 or 500m.
type quantity float64

// UnmarshalText reads a quantity.
func (q *quantity) UnmarshalText(text []byte) error {
	number, thousandths := strings.CutSuffix(string(text), "m")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return fmt.Errorf("%q is no number of cores", text)
	}
	if thousandths {
		n /= 1000
	}
	*q = quantity(n)
	return nil
}

func readScaling(path string) (map[string]service, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the scaling table: %w", err)
	}
	var services map[string]service
	if err := json.Unmarshal(data, &services); err != nil {
		return nil, fmt.Errorf("read the scaling table: %w", err)
	}
	for _, name := range functions {
		if s := services[name]; s.Concurrency < 1 || s.MaxScale < 1 || s.Limits.CPU <= 0 {
			return nil, fmt.Errorf("the scaling table says too little of %s", name)
		}
	}
	return services, nil
}
