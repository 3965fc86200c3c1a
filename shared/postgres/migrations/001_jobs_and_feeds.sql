-- Jobs, what they made, what could not be understood, and the feeds built from them.

create table jobs (
    id             uuid primary key,
    owner          uuid not null,
    status         text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
    priority       text not null default 'normal' check (priority in ('high', 'normal', 'low')),
    kind           text check (kind in ('lecture', 'test', 'exam')),
    filename       text not null default '',
    size           bigint not null default 0,
    sha256         text not null default '',
    object_key     text not null unique,
    traceparent    text not null default '',
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    uploaded_at    timestamptz, -- the object is stored; null while it is on its way
    started_at     timestamptz, -- the first claim
    completed_at   timestamptz, -- the end, completed or failed
    run_after      timestamptz not null default now(),
    dispatched_at  timestamptz, -- the sweep last sent an event for it
    attempts       integer not null default 0,
    lease_until    timestamptz,
    lease_token    uuid,
    error_code     text,
    error_message  text,
    pdf_deleted_at timestamptz,
    announced_at   timestamptz, -- the event "parsed" was taken by the next hop
    constraint a_claim_has_a_lease check ((status = 'processing') = (lease_token is not null and lease_until is not null)),
    constraint an_end_has_a_time check ((status in ('completed', 'failed')) = (completed_at is not null)),
    constraint a_failure_has_a_reason check (status <> 'failed' or error_code is not null)
);

-- An owner's jobs and the newest completed of each kind.
create index jobs_owner on jobs (owner, kind, completed_at desc) where status = 'completed';
create index jobs_owner_all on jobs (owner, created_at desc);
-- The sweep: what waits, what is held, whose upload is not done.
create index jobs_waiting on jobs (run_after) where status = 'pending' and uploaded_at is not null;
create index jobs_leased on jobs (lease_until) where status = 'processing';
create index jobs_uploading on jobs (created_at) where status = 'pending' and uploaded_at is null;
create index jobs_started on jobs (started_at) where status in ('pending', 'processing');
-- Retention and announcements.
create index jobs_finished on jobs (completed_at) where completed_at is not null;
create index jobs_pdf_kept on jobs (completed_at) where completed_at is not null and pdf_deleted_at is null;
create index jobs_unannounced on jobs (completed_at) where status = 'completed' and announced_at is null;

create table entries (
    job_id   uuid not null references jobs (id) on delete cascade,
    position integer not null,
    entry    jsonb not null,
    primary key (job_id, position)
);

-- Events that no handler could take, for a person to look at.
create table dead_letters (
    id          bigint generated always as identity primary key,
    received_at timestamptz not null default now(),
    source      text not null,
    reason      text not null,
    job_id      uuid,
    event       jsonb not null
);
create index dead_letters_received on dead_letters (received_at desc);
create index dead_letters_job on dead_letters (job_id) where job_id is not null;

-- A feed's address is a secret: only its hash is stored.
create table feeds (
    id            uuid primary key,
    token_hash    bytea not null unique,
    owner         uuid not null,
    options       jsonb not null,
    etag          text not null default '',
    body          bytea,
    last_modified timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create index feeds_owner on feeds (owner);

-- What subscribers were last told of each event, so that SEQUENCE rises exactly when one changes.
create table feed_events (
    feed_id       uuid not null references feeds (id) on delete cascade,
    uid           text not null,
    sequence      integer not null default 0,
    fingerprint   text not null,
    last_modified timestamptz not null,
    primary key (feed_id, uid)
);
