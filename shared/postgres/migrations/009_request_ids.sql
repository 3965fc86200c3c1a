-- The id of the request that began a job or a sync: an operator finds all log lines of an upload by it.
alter table jobs add column request_id text not null default '';
alter table google_syncs add column request_id text not null default '';
