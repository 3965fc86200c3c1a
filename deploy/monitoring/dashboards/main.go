// Dashboards writes Grafana's pages of schedgen as JSON, one file each, into the folder json: `go run .`
//
// The pages are data, in pages.go. A test compares the files with what would be written. This is a module of its own, so
// that nothing else takes the library in.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	if err := write("json"); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// write writes every page into dir.
func write(dir string) error {
	for _, p := range pages {
		data, err := p.json()
		if err != nil {
			return fmt.Errorf("page %s: %w", p.uid, err)
		}
		if err := os.WriteFile(filepath.Join(dir, p.uid+".json"), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// page is one dashboard.
type page struct {
	uid, title, about string
	panels            []panel
}

// panel is a graph over time, or, as a number, what is now.
type panel struct {
	title, about, unit string
	number             bool
	queries            []query
}

// query is an expression, and how its series are called.
type query struct{ expr, legend string }

func (p page) json() ([]byte, error) {
	//lint:ignore SA1019 the newer form is for Grafana's API: files are provisioned in this one
	b := dashboard.NewDashboardBuilder("schedgen: "+p.title).Uid("schedgen-"+p.uid).Description(p.about).
		Tags([]string{"schedgen"}).Refresh("30s").Time("now-6h", "now").Timezone("Africa/Johannesburg").Readonly()
	for _, one := range p.panels {
		if one.number {
			b.WithPanel(one.stat())
		} else {
			b.WithPanel(one.graph())
		}
	}
	built, err := b.Build()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // people read the expressions
	err = encoder.Encode(built)
	return out.Bytes(), err
}

// source is the data source of grafana/provisioning.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("prometheus")}
}

func (p panel) graph() *timeseries.PanelBuilder {
	b := timeseries.NewPanelBuilder().Title(p.title).Description(p.about).Unit(p.unit).Datasource(source()).Span(12).Height(8).Min(0).FillOpacity(10)
	for _, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend)
		if p.unit == "s" && strings.Contains(q.expr, "histogram_quantile") {
			target.Exemplar(true) // dots, each of which names a trace
		}
		b.WithTarget(target)
	}
	return b
}

func (p panel) stat() *stat.PanelBuilder {
	b := stat.NewPanelBuilder().Title(p.title).Description(p.about).Unit(p.unit).Datasource(source()).Span(4).Height(4)
	for _, q := range p.queries {
		b.WithTarget(prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend))
	}
	return b
}
