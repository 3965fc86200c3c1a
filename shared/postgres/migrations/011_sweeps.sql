-- When each sweep last ran to its end: instances of a function come and go, and an alert needs to know.
create table sweeps (
    name        text primary key,
    finished_at timestamptz not null
);
