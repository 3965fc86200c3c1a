package manifests

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// end is one end of a connection: pods of ours by their labels, or a namespace of others, or the internet.
type end struct {
	name      string
	namespace string
	labels    map[string]string
	address   string
}

func pod(name string, function bool) end {
	e := end{name: name, namespace: "schedgen", labels: map[string]string{nameLabel: name}}
	if function {
		e.labels["schedgen.dev/function"] = "true"
	}
	return e
}

func outside(namespace string) end { return end{name: namespace, namespace: namespace} }

// flow is a connection that must be possible, or must not.
type flow struct {
	from, to end
	port     int
	want     bool
}

// wanted are the ways that requests, events and data take.
func (c *Checker) wanted() []flow {
	internet, stranger := end{name: "the internet", address: "203.0.113.7"}, pod("a pod without a policy of its own", false)
	all := []flow{{stranger, internet, 443, false}, {outside("default"), stranger, 8080, false}, {stranger, pod("redis", false), 6379, false}}
	for _, name := range c.scaling.Functions() {
		f := pod(name, true)
		all = append(all,
			flow{f, pod("pgbouncer", false), 6432, true}, flow{f, pod("redis", false), 6379, true}, flow{f, pod("minio", false), 9000, true},
			flow{f, outside("knative-eventing"), 8080, true}, flow{f, outside("kube-system"), 53, true}, flow{f, outside("monitoring"), 4318, true},
			flow{outside("knative-serving"), f, 8012, true}, flow{outside("kourier-system"), f, 8012, true}, flow{outside("knative-serving"), f, 9090, true},
			flow{outside("kourier-system"), f, 8013, true}, flow{outside("knative-serving"), f, 8080, false}, flow{outside("kourier-system"), f, 9091, false}, flow{outside("knative-serving"), f, 8022, true}, flow{outside("monitoring"), f, 9091, true},
			flow{outside("default"), f, 8080, false}, flow{f, pod("postgres", false), 5432, name == "backup"},
			flow{f, internet, 443, name == "google-sync" || name == "backup"}, flow{f, internet, 22, false}, flow{f, pod("minio", false), 9001, false})
	}
	for _, private := range []string{"10.1.2.3", "172.20.1.2", "192.168.1.2", "169.254.169.254"} {
		for _, name := range []string{"google-sync", "backup"} {
			all = append(all, flow{pod(name, true), end{name: private, address: private}, 443, false})
		}
	}
	backup, minio, postgres := pod("backup", true), pod("minio", false), pod("postgres", false)
	return append(all,
		flow{pod("pgbouncer", false), postgres, 5432, true}, flow{pod("migrate", false), postgres, 5432, true}, flow{pod("minio-setup", false), minio, 9000, true},
		flow{minio, outside("kourier-system"), 8081, true}, flow{minio, internet, 443, false}, flow{postgres, internet, 443, false},
		flow{backup, internet, 465, true}, flow{backup, internet, 587, true}, flow{pod("redis", false), minio, 9000, false},
		flow{outside("default"), postgres, 5432, false},
		flow{outside("kourier-system"), postgres, 5432, false}, flow{pod("pgbouncer", false), pod("redis", false), 6379, false}, flow{outside("monitoring"), backup, 8080, true})
}

// flows asks the policies about each of them, as a cluster's network does: a connection needs a rule at both ends,
// where a policy selects the end at all.
func (c *cluster) flows(policies []object, wanted []flow) {
	for _, o := range policies {
		types, _ := o.at("spec", "policyTypes").([]any)
		if slices.ContainsFunc(types, func(t any) bool { return text(t) != "Ingress" && text(t) != "Egress" }) {
			c.addf("%s: policyTypes %v: Kubernetes knows Ingress and Egress", o, types)
		}
	}
	for _, f := range wanted {
		got := allows(policies, f.from, f.to, f.port, "egress") && allows(policies, f.to, f.from, f.port, "ingress")
		if got != f.want {
			c.addf("%s: network policies: from %s to %s port %d: got %v, want %v", c.overlay, f.from.name, f.to.name, f.port, got, f.want)
		}
	}
}

// wantedOnOpenFaaS are the ways of functions that run in OpenFaaS' namespace.
func (c *Checker) wantedOnOpenFaaS() []flow {
	var all []flow
	for _, name := range append(c.scaling.Functions(), watch) {
		f := end{name: name + " on OpenFaaS", namespace: "openfaas-fn", labels: map[string]string{"faas_function": name}}
		all = append(all, flow{f, pod("pgbouncer", false), 6432, true}, flow{f, pod("redis", false), 6379, true}, flow{f, pod("minio", false), 9000, true},
			flow{f, pod("postgres", false), 5432, program(name) == "backup"}, flow{f, pod("minio", false), 9001, false})
	}
	return append(all, flow{pod("minio", false), outside("openfaas"), 8080, true}, flow{outside("default"), pod("redis", false), 6379, false})
}

// allows says whether the policies of one end let a connection with the other through; those of a namespace that is not
// ours are others' matter.
func allows(objects []object, self, other end, port int, direction string) bool {
	selected, allowed := false, false
	for _, o := range objects {
		if o.kind() != "NetworkPolicy" || text(o.at("metadata", "namespace")) != self.namespace || !matches(o.at("spec", "podSelector"), self.labels) {
			continue
		}
		types, _ := o.at("spec", "policyTypes").([]any)
		if !slices.ContainsFunc(types, func(t any) bool { return strings.EqualFold(text(t), direction) }) {
			continue
		}
		selected = true
		for _, rule := range list(o.data, "spec", direction) {
			side := map[string]string{"egress": "to", "ingress": "from"}[direction]
			allowed = allowed || opens(rule, port) && slices.ContainsFunc(list(rule, side), func(peer map[string]any) bool { return is(peer, other, self.namespace) })
		}
	}
	return !selected || allowed
}

// matches says whether a selector takes these labels; one that is empty takes all.
func matches(selector any, all map[string]string) bool {
	for name, value := range labels(at(selector, "matchLabels")) {
		if all[name] != value {
			return false
		}
	}
	for _, expression := range list(selector, "matchExpressions") {
		values, _ := expression["values"].([]any)
		if text(expression["operator"]) != "In" || !slices.Contains(values, any(all[text(expression["key"])])) {
			return false
		}
	}
	return true
}

// opens reports whether a rule lets a port through; DNS needs both protocols.
func opens(rule map[string]any, port int) bool {
	protocols := []string{"TCP"}
	if port == 53 {
		protocols = append(protocols, "UDP")
	}
	return !slices.ContainsFunc(protocols, func(protocol string) bool {
		return !slices.ContainsFunc(list(rule, "ports"), func(p map[string]any) bool {
			return text(p["port"]) == strconv.Itoa(port) && cmp.Or(text(p["protocol"]), "TCP") == protocol
		})
	})
}

// is says whether a peer of a rule of that namespace is that end.
func is(peer map[string]any, e end, namespace string) bool {
	if block, ok := peer["ipBlock"].(map[string]any); ok {
		except, _ := block["except"].([]any)
		return contains(block["cidr"], e.address) && !slices.ContainsFunc(except, func(cidr any) bool { return contains(cidr, e.address) })
	}
	if ns, ok := peer["namespaceSelector"]; ok {
		return e.address == "" && labels(at(ns, "matchLabels"))["kubernetes.io/metadata.name"] == e.namespace &&
			matches(peer["podSelector"], e.labels)
	}
	return e.namespace == namespace && e.labels != nil && matches(peer["podSelector"], e.labels)
}

func contains(cidr any, address string) bool {
	network, err := netip.ParsePrefix(text(cidr))
	a, err2 := netip.ParseAddr(address)
	return err == nil && err2 == nil && network.Contains(a)
}
