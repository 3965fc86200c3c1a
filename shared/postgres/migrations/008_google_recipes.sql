-- Of what each sync made its lectures, so that a corrected academic year reaches Google calendars that do not
-- follow newer uploads. What is known of a calendar goes with it, and what comes of a job goes with that job.

create table google_recipes (
    id          uuid primary key, -- a UUIDv7: their order
    account_id  uuid not null,
    calendar_id text not null,
    options     jsonb not null, -- the choices
    scopes      text[] not null, -- what the sync spoke for: older recipes are over there
    years       text not null, -- the academic years that it was last made by, as in google_calendars
    created_at  timestamptz not null default now(),
    foreign key (account_id, calendar_id) references google_calendars (account_id, calendar_id) on delete cascade
);
create index google_recipes_calendar on google_recipes (account_id, calendar_id, id);
create index google_recipes_years on google_recipes (years);
create index google_recipes_created on google_recipes (created_at);

create table google_recipe_parts (
    recipe_id uuid not null references google_recipes (id) on delete cascade,
    position  integer not null,
    job_id    uuid references jobs (id) on delete cascade, -- null of events that the person sent
    events    jsonb, -- null where they are too long to be kept
    written   text[] not null, -- ids of the events at Google
    scopes    text[] not null, -- of these
    primary key (recipe_id, position)
);
create index google_recipe_parts_job on google_recipe_parts (job_id) where job_id is not null;
