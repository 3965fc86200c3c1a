-- What ends before its time: sessions that were signed out, and feeds that nobody fetches.

-- A session is known by its id until its token would have expired.
create table ended_sessions (
    id         text primary key,
    expires_at timestamptz not null
);
create index ended_sessions_expired on ended_sessions (expires_at);

-- How often an owner has ended all sessions. A token of an earlier generation is none any more.
create table session_generations (
    owner      uuid primary key,
    generation integer not null
);

-- When a program last asked for the feed, to the day.
alter table feeds add column fetched_at timestamptz not null default now();
create index feeds_fetched on feeds (fetched_at);
