package main

// The same for all instances of a function: what comes from PostgreSQL is told by each of them, so it is the largest.
var pages = []page{
	{"overview", "overview", "Is it well? Alerts, traffic, queue, and what it stands on.", []panel{
		now("alerts that fire", "short", `count(ALERTS{alertstate="firing"}) or vector(0)`),
		now("timetables that wait", "short", `schedgen:queue_pending:sum`),
		now("uploads in the last hour", "short", `max(schedgen_uploads_last_hour)`),
		now("failed through our fault, last hour", "short", `max(schedgen_jobs_ended{status="failed"})`),
		now("last good backup", "dateTimeFromNow", `schedgen:backup_last_success_timestamp_seconds:last * 1000`),
		now("last sweep", "dateTimeFromNow", `schedgen:sweep_last_timestamp_seconds:last * 1000`),
		graph("requests", "reqps", `function:http_requests:rate5m`, "{{function}}"),
		graph("failed requests", "reqps", `function:http_requests_failed:rate5m`, "{{function}}"),
		graph("uploads by outcome", "ops", `sum by (outcome) (rate(schedgen_uploads_total[$__rate_interval]))`, "{{outcome}}"),
		graph("queue", "short", `priority:schedgen_queue_pending:max`, "{{priority}}"),
		graph("what answers", "short", `up`, "{{job}} {{instance}}"),
		graph("alerts", "short", `count by (alertname, severity) (ALERTS{alertstate="firing"})`, "{{severity}} {{alertname}}"),
	}},
	{"functions", "functions", "Requests, times, errors and what each instance uses.", []panel{
		graph("time of 95 % of the requests", "s", `histogram_quantile(0.95, sum by (function, le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))`, "{{function}}"),
		// From native histograms, whose buckets are narrow, where Prometheus stores them.
		graph("time of 99 % of the requests", "s", `histogram_quantile(0.99, sum by (function) (rate(http_request_duration_seconds[$__rate_interval])))
or histogram_quantile(0.99, sum by (function, le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))`, "{{function}}"),
		graph("time of half of the requests", "s", `histogram_quantile(0.5, sum by (function, le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))`, "{{function}}"),
		graph("errors by code", "reqps", `sum by (function, code) (rate(http_request_errors_total[$__rate_interval]))`, "{{function}} {{code}}"),
		graph("requests in flight", "short", `sum by (function) (http_requests_in_flight)`, "{{function}}"),
		graph("requests by route", "reqps", `sum by (function, route) (rate(http_requests_total[$__rate_interval]))`, "{{function}} {{route}}"),
		graph("CPU", "short", `sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]))`, "{{job}} {{instance}}"),
		graph("memory", "bytes", `process_resident_memory_bytes`, "{{job}} {{instance}}"),
		graph("goroutines", "short", `go_goroutines{job="functions"}`, "{{instance}}"),
		graph("restarts in the last half hour", "short", `changes(process_start_time_seconds[30m])`, "{{job}} {{instance}}"),
	}},
	{"queue", "queue and reading", "From the upload to the entries.", []panel{
		now("stalled leases", "short", `max(schedgen_queue_stalled_leases)`),
		now("dead letters", "short", `max(schedgen_dead_letters)`),
		graph("jobs that wait or are read", "short", `max by (status, priority) (schedgen_queue_jobs)`, "{{status}} {{priority}}"),
		graph("the oldest job that waits", "s", `max by (priority) (schedgen_queue_oldest_seconds)`, "{{priority}}"),
		graph("jobs that ended in the last hour", "short", `status:schedgen_jobs_ended:max`, "{{status}}"),
		graph("attempts by outcome and code", "ops", `sum by (outcome, code) (rate(schedgen_parse_jobs_total[$__rate_interval]))`, "{{outcome}} {{code}}"),
		graph("time to read a PDF", "s", `histogram_quantile(0.95, sum by (le) (rate(schedgen_parse_seconds_bucket[$__rate_interval])))`, "95 %",
			`histogram_quantile(0.5, sum by (le) (rate(schedgen_parse_seconds_bucket[$__rate_interval])))`, "50 %"),
		graph("attempts of a job, 95 %", "short", `histogram_quantile(0.95, sum by (le) (rate(schedgen_parse_attempts_bucket[$__rate_interval])))`, "attempts"),
		graph("stages of a job, 95 %", "s", `histogram_quantile(0.95, sum by (stage, le) (rate(schedgen_job_stage_seconds_bucket[$__rate_interval])))`, "{{stage}}"),
		graph("events by what they led to", "ops", `sum by (outcome) (rate(schedgen_parse_events_total[$__rate_interval]))`, "{{outcome}}"),
		graph("readers that ended", "ops", `sum by (reason) (rate(schedgen_parse_readers_ended_total[$__rate_interval]))`, "{{reason}}"),
		graph("what sweeps did", "ops", `sum by (reason) (rate(schedgen_swept_total[$__rate_interval]))`, "{{reason}}"),
		graph("jobs that sweeps failed", "ops", `sum by (code) (rate(schedgen_jobs_failed_total[$__rate_interval]))`, "{{code}}"),
		graph("requests refused by a limit", "ops", `sum by (policy, route) (rate(schedgen_requests_refused_total[$__rate_interval]))`, "{{policy}} {{route}}"),
		graph("dead letters by source", "ops", `sum by (source) (rate(schedgen_dead_letters_total[$__rate_interval]))`, "{{source}}"),
		graph("size of uploads", "bytes", `histogram_quantile(0.95, sum by (le) (rate(schedgen_upload_bytes_bucket[$__rate_interval])))`, "95 %"),
	}},
	{"servers", "database, Redis, MinIO", "What the functions stand on.", []panel{
		graph("database connections in use", "percentunit", `sum by (function) (schedgen_db_connections{state="in_use"}) / sum by (function) (schedgen_db_connections_max)`, "{{function}}"),
		graph("wait for a connection, 95 %", "s", `histogram_quantile(0.95, sum by (function, le) (rate(schedgen_db_acquire_seconds_bucket[$__rate_interval])))`, "{{function}}"),
		graph("queries, 95 %", "s", `histogram_quantile(0.95, sum by (function, le) (rate(schedgen_db_query_seconds_bucket[$__rate_interval])))`, "{{function}}"),
		graph("failed queries", "ops", `sum by (function) (rate(schedgen_db_query_errors_total[$__rate_interval]))`, "{{function}}"),
		graph("connections held too long", "short", `sum by (function) (increase(schedgen_db_connections_held_total[1h]))`, "{{function}}"),
		graph("PostgreSQL's connections", "short", `sum by (state) (pg_stat_activity_count)`, "{{state}}"),
		graph("Redis: calls by outcome", "ops", `sum by (outcome) (rate(schedgen_cache_requests_total[$__rate_interval]))`, "{{outcome}}"),
		graph("Redis answers", "short", `min by (function) (schedgen_cache_up)`, "{{function}}"),
		graph("Redis: memory", "bytes", `redis_memory_used_bytes`, "used", `redis_memory_max_bytes`, "limit"),
		graph("Redis: evicted keys", "ops", `rate(redis_evicted_keys_total[$__rate_interval])`, "{{instance}}"),
		graph("object store, 95 %", "s", `histogram_quantile(0.95, sum by (operation, le) (rate(schedgen_s3_request_seconds_bucket[$__rate_interval])))`, "{{operation}}"),
		graph("traces: spans by outcome", "ops", `sum by (outcome) (rate(schedgen_trace_spans_total[$__rate_interval]))`, "{{outcome}}"),
		graph("object store: errors", "ops", `sum by (operation) (rate(schedgen_s3_errors_total[$__rate_interval]))`, "{{operation}}"),
		graph("MinIO: free space", "bytes", `min(minio_cluster_capacity_usable_free_bytes)`, "free", `min(minio_cluster_capacity_usable_total_bytes)`, "all"),
		graph("machines: CPU", "percentunit", `1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))`, "{{instance}}"),
		graph("machines: memory", "percentunit", `1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes`, "{{instance}}"),
		graph("machines: disks", "percentunit", `1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs|ramfs|iso9660"} / node_filesystem_size_bytes`, "{{instance}} {{mountpoint}}"),
	}},
	{"backups", "backups", "The function runs for minutes a day: each number is the newest of the last hours.", []panel{
		now("last good backup", "dateTimeFromNow", `schedgen:backup_last_success_timestamp_seconds:last * 1000`),
		now("proved by a restore", "bool", `schedgen:backup_verified:last`),
		now("passed its verification", "bool", `schedgen:backup_good:last`),
		now("stored", "short", `max(last_over_time(schedgen_backup_stored[70m]))`),
		graph("size", "bytes", `max(last_over_time(schedgen_backup_bytes[70m]))`, "stored, encrypted"),
		graph("duration", "s", `max(last_over_time(schedgen_backup_duration_seconds[70m]))`, "without verification"),
		graph("rows", "short", `max(last_over_time(schedgen_backup_rows[70m]))`, "rows"),
		graph("PDFs", "short", `max(last_over_time(schedgen_backup_objects[70m]))`, "PDFs"),
		graph("runs", "short", `sum by (outcome) (last_over_time(schedgen_backup_runs_total[70m]))`, "{{outcome}}"),
		graph("verifications", "short", `sum by (by, outcome) (last_over_time(schedgen_backup_verifications_total[70m]))`, "{{by}} {{outcome}}"),
		graph("lists of deletions", "short", `sum by (outcome) (last_over_time(schedgen_backup_deletion_lists_total[70m]))`, "{{outcome}}"),
		graph("alerts that it sent", "short", `sum by (channel, outcome) (last_over_time(schedgen_backup_alerts_total[70m]))`, "{{channel}} {{outcome}}"),
	}},
	{"people", "people and calendars", "Who uses it, and what for.", []panel{
		now("owners, last hour", "short", `max(schedgen_owners_active{window="1h"})`),
		now("owners, last day", "short", `max(schedgen_owners_active{window="24h"})`),
		now("owners, last week", "short", `max(schedgen_owners_active{window="7d"})`),
		now("of these came back", "short", `max(schedgen_owners_returning)`),
		now("feeds", "short", `max(schedgen_feeds)`),
		now("estimated cost of a user's day", "currencyUSD", `schedgen:cost_per_user_day:usd`),
		now("estimated cost of 1,000 uploads", "currencyUSD", `schedgen:cost_per_1000_uploads:usd`),
		graph("estimated cost of a day", "currencyUSD", `of:schedgen_cost_per_day:usd`, "{{of}}", `schedgen:cost_per_day:usd`, "all"),
		now("PDFs stored", "bytes", `max(schedgen_storage_bytes)`),
		graph("uploads in the last hour", "short", `max(schedgen_uploads_last_hour)`, "uploads"),
		graph("active owners", "short", `max by (window) (schedgen_owners_active)`, "{{window}}"),
		graph("feeds fetched", "reqps", `sum by (code) (rate(http_requests_total{route=~"/api/feeds/.*",method="GET"}[$__rate_interval]))`, "{{code}}"),
		graph("feeds made again", "ops", `sum by (outcome) (rate(schedgen_feeds_replanned_total[$__rate_interval]))`, "{{outcome}}"),
		graph("semester dates", "ops", `sum by (what) (rate(schedgen_semester_dates_total[$__rate_interval]))`, "{{what}}"),
		graph("Google: syncs", "ops", `sum by (outcome) (rate(schedgen_google_syncs_total[$__rate_interval]))`, "{{outcome}}"),
		graph("Google: syncs that wait", "short", `max(schedgen_syncs_pending)`, "pending"),
		graph("Google: the oldest sync that waits", "s", `max(schedgen_syncs_oldest_seconds)`, "waits"),
		graph("Google: calls", "ops", `sum by (method, result) (rate(schedgen_google_calls_total[$__rate_interval]))`, "{{method}} {{result}}"),
		graph("Google: waits", "ops", `sum by (reason) (rate(schedgen_google_waits_total[$__rate_interval]))`, "{{reason}}",
			`sum by (reason) (rate(schedgen_google_waited_seconds_total[$__rate_interval]))`, "{{reason}}, seconds"),
		graph("Google: actions of a plan, 95 %", "short", `histogram_quantile(0.95, sum by (operation, le) (rate(schedgen_google_plan_actions_bucket[$__rate_interval])))`, "{{operation}}"),
		graph("Google: sign-ins", "ops", `sum by (outcome) (rate(schedgen_google_sign_ins_total[$__rate_interval]))`, "{{outcome}}"),
		graph("Google: rows swept", "ops", `sum by (what) (rate(schedgen_google_swept_total[$__rate_interval]))`, "{{what}}"),
	}},
	{"budgets", "error budgets", "99.5 % of uploads are good; 99 % of the requests that wait for nothing take less than a second.", []panel{
		now("good uploads, 3 days", "percentunit", `1 - schedgen:uploads_bad:rate3d / schedgen:uploads:rate3d`),
		now("fast requests, 3 days", "percentunit", `1 - schedgen:requests_slow:rate3d / schedgen:requests:rate3d`),
		graph("uploads: how many times too fast the budget burns", "short", `schedgen:uploads_bad:rate1h / schedgen:uploads:rate1h / 0.005`, "1 h",
			`schedgen:uploads_bad:rate6h / schedgen:uploads:rate6h / 0.005`, "6 h", `schedgen:uploads_bad:rate3d / schedgen:uploads:rate3d / 0.005`, "3 days"),
		graph("requests: how many times too fast the budget burns", "short", `schedgen:requests_slow:rate1h / schedgen:requests:rate1h / 0.01`, "1 h",
			`schedgen:requests_slow:rate6h / schedgen:requests:rate6h / 0.01`, "6 h", `schedgen:requests_slow:rate3d / schedgen:requests:rate3d / 0.01`, "3 days"),
	}},
}

// now is a panel of one number.
func now(title, unit, expr string) panel {
	return panel{title: title, unit: unit, number: true, queries: []query{{expr, ""}}}
}

// graph is a panel of expressions, each with the name of its series.
func graph(title, unit string, queries ...string) panel {
	p := panel{title: title, unit: unit}
	for i := 0; i+1 < len(queries); i += 2 {
		p.queries = append(p.queries, query{queries[i], queries[i+1]})
	}
	return p
}
