-- Academic years that an operator imported. They come before those of a mounted file and those that the
-- program ships.

create table academic_years (
    year        integer primary key check (year between 2000 and 2200),
    content     jsonb, -- in the form of the file; null of a year that was removed, so that versions only rise
    version     bigint not null, -- of the import that wrote it: that of the whole is the highest
    imported_at timestamptz not null default now()
);

-- Which years a calendar was made with, and what they were then: "2026=0123456789abcdef". A calendar whose
-- years have changed since is made again.
alter table feeds add column years text not null default '';
alter table google_calendars add column years text not null default '';
create index feeds_years on feeds (years, token_hash);
create index google_calendars_years on google_calendars (years) where following;

-- Dates that a person had to type because nobody had entered the year, so that they are asked for once.
create table typed_terms (
    owner    uuid not null,
    year     integer not null,
    terms    jsonb not null,
    typed_at timestamptz not null default now(),
    primary key (owner, year)
);
create index typed_terms_year on typed_terms (year);
