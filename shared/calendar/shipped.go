package calendar

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:embed years.json
var yearsJSON []byte

// shipped is years.json. It is read on first use, for every process that links this package would
// otherwise pay for it at its start.
var shipped = sync.OnceValue(func() Years {
	years, err := ParseYears(yearsJSON)
	if err != nil {
		panic(fmt.Sprintf("years.json: %v", err)) // the file is part of the program, and tested
	}
	return years
})

// Shipped are the academic years that are part of the program. An operator's own come before them.
func Shipped() Years { return shipped() }

// academicYears are the years that o goes by.
func (o Options) academicYears() Years {
	if o.Years != nil {
		return o.Years
	}
	return Shipped()
}
