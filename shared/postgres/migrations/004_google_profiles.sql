-- What Google tells of a person for a page to show. Who signed in before has none until the next sign-in.
alter table google_accounts
    add column first_name text not null default '',
    add column last_name  text not null default '',
    add column picture    text not null default '';
