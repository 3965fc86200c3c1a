-- Whose turn it is: uploads are read share by share, and within a share owner by owner, so that nobody waits for
-- all that another sends. Package jobs tells how turns are given.

alter table jobs
    add column share uuid, -- whose turn it takes, as long as it waits for one; of an address a name that tells nothing of it
    add column turn  bigint not null default 0, -- of its share, among all shares
    add column round bigint not null default 0; -- of its owner, within the share
create index jobs_turn on jobs (priority, turn, id) where status = 'pending' and uploaded_at is not null;
create index jobs_share on jobs (share, priority, round, id) where status = 'pending';

-- The last turns of each share (owner is zero) and the last rounds of each owner. The row without a share is the
-- clock of its priority.
create table turns (
    priority text not null,
    share    uuid not null,
    owner    uuid not null,
    given    bigint not null default 0, -- the last that a job was given
    begun    bigint not null default 0, -- the last that has come: of a clock a turn, of a share a round
    used_at  timestamptz not null default now(), -- given at
    primary key (priority, share, owner)
);
create index turns_used on turns (used_at);
