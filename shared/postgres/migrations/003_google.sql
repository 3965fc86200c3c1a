-- Google accounts, the calendars they sync to, and the syncs themselves. Nothing of what older code
-- uses is changed.

-- An account's id is the owner of all that belongs to it (jobs.owner, feeds.owner).
create table google_accounts (
    id            uuid primary key,
    subject       text not null unique, -- who it is, in Google's words
    email         text not null,
    scopes        text not null default '',
    refresh_token bytea, -- sealed; null when the person must sign in again
    key_id        text, -- what sealed it
    lease_token   uuid, -- who works on the account's syncs, so that one does at a time
    lease_until   timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    constraint a_token_has_a_key check ((refresh_token is null) = (key_id is null)),
    constraint a_lease_has_an_end check ((lease_token is null) = (lease_until is null))
);
-- Key rotation looks for what older keys sealed.
create index google_accounts_key on google_accounts (key_id) where key_id is not null;

create table google_calendars (
    account_id  uuid not null references google_accounts (id) on delete cascade,
    calendar_id text not null, -- Google's
    summary     text not null default '',
    created     boolean not null default false, -- schedgen made it
    following   boolean not null default false,
    options     jsonb not null default '{}', -- the choices of the last sync, for the following ones
    colors      jsonb not null default '{}', -- in which modules were shown, by module
    chosen_at   timestamptz not null default now(), -- when these were chosen
    synced_at   timestamptz, -- the end of the first and each later sync
    primary key (account_id, calendar_id)
);

-- What became of each event that schedgen put into a calendar, where the calendar itself does not
-- tell: Google forgets deleted events after some time, and does not say who deleted one.
create table google_events (
    account_id  uuid not null,
    calendar_id text not null,
    event_id    text not null,
    state       text not null check (state in ('written', 'removed', 'declined')),
    primary key (account_id, calendar_id, event_id),
    foreign key (account_id, calendar_id) references google_calendars (account_id, calendar_id) on delete cascade
);

create table google_syncs (
    id          uuid primary key, -- a UUIDv7: their order
    account_id  uuid not null references google_accounts (id) on delete cascade,
    calendar_id text not null,
    request     jsonb, -- what to do; null at the end
    status      text not null default 'pending' check (status in ('pending', 'done', 'failed')),
    progress    jsonb not null default '{}', -- counts so far
    attempts    integer not null default 0,
    turns       integer not null default 0, -- how often it was handed on
    run_after   timestamptz not null default now(),
    traceparent text not null default '',
    error_code  text,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    finished_at timestamptz,
    constraint an_end_has_a_time check ((status <> 'pending') = (finished_at is not null)),
    constraint what_waits_has_a_request check (status <> 'pending' or request is not null),
    constraint a_failure_has_a_reason check (status <> 'failed' or error_code is not null)
);
-- An account's syncs: the waiting ones in their order, and the newest.
create index google_syncs_waiting on google_syncs (account_id, id) where status = 'pending';
create index google_syncs_account on google_syncs (account_id, id desc);
-- The sweep, and retention.
create index google_syncs_due on google_syncs (run_after) where status = 'pending';
create index google_syncs_finished on google_syncs (finished_at) where finished_at is not null;
