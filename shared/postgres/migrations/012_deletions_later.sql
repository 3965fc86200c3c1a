-- A new sign-in of a person cancels the end of their access to Google, which would end the new access too: Google
-- knows one access for each person. The SHA-256 of Google's name for the person tells that it is the same one.
alter table google_revocations add column subject_hash bytea;

-- Deletions of whom nothing is left, by age.
create index deletions_closed on deletions (requested_at) where owner is null;
