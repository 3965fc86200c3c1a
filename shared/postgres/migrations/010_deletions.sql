-- People who deleted everything. A row outlives what it deletes: sessions of the owner stay ended, and a restore of a
-- backup from before deletes again what the backup brings back.

-- An owner is named by the SHA-256 of its id: a random id cannot be found out from its hash.
create table deletions (
    owner_hash   bytea primary key,
    owner        uuid, -- as long as something of it may be left
    made_before  timestamptz, -- deletes only what was made before; null: everything
    requested_at timestamptz not null default now(),
    erased_at    timestamptz -- nothing was left
);
create index deletions_open on deletions (requested_at) where owner is not null;

-- Whose uploads an owner took over by signing in or out, and when: in older backups they still belong to the other.
create table former_owners (
    owner    uuid not null,
    former   uuid not null,
    moved_at timestamptz not null default now(),
    primary key (owner, former)
);
create index former_owners_moved on former_owners (moved_at);

-- Access to Google that is to be ended: of people who deleted everything.
create table google_revocations (
    account_id    uuid primary key,
    refresh_token bytea not null, -- sealed, as in google_accounts
    key_id        text not null,
    requested_at  timestamptz not null default now(),
    tried_at      timestamptz
);
