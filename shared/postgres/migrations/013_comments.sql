-- What each table and column is for, in the database itself: psql shows it (\d+), and docs/database-schema.md is made
-- of it. A comment locks out no query and rewrites no row.

comment on table jobs is 'The reading of one uploaded PDF each, from upload to result. Deleting a job deletes all that hangs on it.';
comment on column jobs.id is 'The job; its PDF is stored under uploads/<priority>/<id>.pdf.';
comment on column jobs.owner is 'The visitor or account that the upload belongs to. An account''s id is google_accounts.id.';
comment on column jobs.status is 'pending (waits), processing (a worker holds its lease), completed or failed.';
comment on column jobs.priority is 'Which jobs are read first: high, normal or low.';
comment on column jobs.kind is 'What the timetable is of: lecture, test or exam. Null until it was read.';
comment on column jobs.filename is 'The name of the file as the browser sent it, for its owner to recognise it by.';
comment on column jobs.size is 'Bytes of the PDF.';
comment on column jobs.sha256 is 'The SHA-256 of the PDF, in hexadecimal digits.';
comment on column jobs.object_key is 'Where the PDF is in the object store.';
comment on column jobs.traceparent is 'The trace of the upload (W3C Trace Context), which the later steps continue.';
comment on column jobs.created_at is 'When the upload began.';
comment on column jobs.updated_at is 'When the row was last changed.';
comment on column jobs.uploaded_at is 'When the object was stored; null while it is on its way.';
comment on column jobs.started_at is 'The first claim.';
comment on column jobs.completed_at is 'The end, whether completed or failed. Retention counts from here.';
comment on column jobs.run_after is 'A pending job is not claimed before this time: it waits for its retry.';
comment on column jobs.dispatched_at is 'When the sweep last sent an event for it, so that it sends none twice.';
comment on column jobs.attempts is 'How often it was claimed.';
comment on column jobs.lease_until is 'When the worker''s lease ends unless it is renewed; then another worker may claim the job.';
comment on column jobs.lease_token is 'Which worker holds the lease: only it can complete the job.';
comment on column jobs.error_code is 'Why the job failed, as a stable code of the API.';
comment on column jobs.error_message is 'The same as a sentence for the student.';
comment on column jobs.pdf_deleted_at is 'When retention deleted the PDF from the object store.';
comment on column jobs.announced_at is 'When the event "parsed" was accepted by the next hop.';
comment on column jobs.share is 'Who takes a turn for it while it waits: the account, the owner, or a keyed hash of the address. Null after that.';
comment on column jobs.turn is 'Its turn among the jobs of all shares of its priority; the lowest is read next.';
comment on column jobs.round is 'Its turn among the owners of its share.';
comment on column jobs.request_id is 'The request that uploaded it, which is in every log line of the job.';

comment on table entries is 'The printed rows of a timetable, as they were read.';
comment on column entries.job_id is 'The job that read it.';
comment on column entries.position is 'Its place in the timetable, from 0.';
comment on column entries.entry is 'The entry as the API gives it, with its warnings.';

comment on table dead_letters is 'Events that their receiver rejected for good, kept for a person to look at.';
comment on column dead_letters.id is 'A number that rises.';
comment on column dead_letters.received_at is 'When the event came.';
comment on column dead_letters.source is 'Who sent the event, or which handler gave it up.';
comment on column dead_letters.reason is 'Why it was rejected.';
comment on column dead_letters.job_id is 'The job that it is about, if that is known.';
comment on column dead_letters.event is 'The event as it came.';

comment on table turns is 'The last turns of each share and the last rounds of each owner, by priority. The row whose share is zero is the clock of its priority. Rows that are not used are deleted after an hour.';
comment on column turns.priority is 'The priority that they are counted for.';
comment on column turns.share is 'The share, as in jobs.share; zero in the row of a clock.';
comment on column turns.owner is 'The owner whose rounds these are; zero in the row of a share.';
comment on column turns.given is 'The last turn or round that was given to a job.';
comment on column turns.begun is 'The last one that has come: of a clock a turn, of a share a round.';
comment on column turns.used_at is 'When one was last given.';

comment on table feeds is 'Addresses that each serve a calendar.';
comment on column feeds.id is 'The feed, for its owner to delete it by.';
comment on column feeds.token_hash is 'The SHA-256 of the token in the address. The token itself is stored nowhere.';
comment on column feeds.owner is 'The visitor or account whose timetables it shows.';
comment on column feeds.options is 'The choices: groups, terms, recess, changed days, colours, reminders.';
comment on column feeds.body is 'The calendar file as it was last made; null before the first time.';
comment on column feeds.last_modified is 'When the content of the file last changed.';
comment on column feeds.created_at is 'When the feed was made.';
comment on column feeds.updated_at is 'When the file was last made again or the choices were replaced.';
comment on column feeds.sources is 'The jobs that the file was made of. A fetch that finds newer ones makes it again.';
comment on column feeds.years is 'Which academic years it was made with, each with a hash of its content. One that changed since makes it again.';
comment on column feeds.fetched_at is 'When a program last fetched it, to the day. A feed that nobody fetches expires.';

comment on table feed_events is 'What subscribers of a feed last got of each event, so that its SEQUENCE rises exactly when it changes.';
comment on column feed_events.feed_id is 'The feed.';
comment on column feed_events.uid is 'The event''s UID (RFC 5545).';
comment on column feed_events.sequence is 'The event''s SEQUENCE.';
comment on column feed_events.fingerprint is 'A hash of what subscribers see of the event.';
comment on column feed_events.last_modified is 'The event''s LAST-MODIFIED.';

comment on table typed_terms is 'Dates of terms that a person typed because no operator had entered the academic year, so that they are asked once.';
comment on column typed_terms.owner is 'Who typed them.';
comment on column typed_terms.year is 'The academic year.';
comment on column typed_terms.terms is 'The first and last day of each term, by its name.';
comment on column typed_terms.typed_at is 'When they were typed.';

comment on table academic_years is 'Academic years that an operator imported. They come before those of a mounted file and those that the program ships.';
comment on column academic_years.year is 'The academic year.';
comment on column academic_years.content is 'Its terms, recess and holidays, in the form of the file; null for a year that was removed.';
comment on column academic_years.version is 'The number of the import that wrote it. The highest is the version of the whole.';
comment on column academic_years.imported_at is 'When it was imported or removed.';

comment on table google_accounts is 'People who signed in with Google.';
comment on column google_accounts.id is 'The account, which is the owner of all that belongs to the person.';
comment on column google_accounts.subject is 'Google''s name for the person, which never changes.';
comment on column google_accounts.email is 'The person''s address, for the page to show.';
comment on column google_accounts.scopes is 'What the person allowed us to do.';
comment on column google_accounts.refresh_token is 'The encrypted token for access to the calendars; null when the person must sign in again.';
comment on column google_accounts.key_id is 'The key that encrypted the token.';
comment on column google_accounts.lease_token is 'Which worker works on the account''s syncs: one at a time.';
comment on column google_accounts.lease_until is 'When its lease ends unless it is renewed.';
comment on column google_accounts.created_at is 'The first sign-in.';
comment on column google_accounts.updated_at is 'When the account was last changed, for example by a sign-in.';
comment on column google_accounts.first_name is 'The person''s first name, for the page to show.';
comment on column google_accounts.last_name is 'The person''s last name, for the page to show.';
comment on column google_accounts.picture is 'The address of the person''s picture at Google.';

comment on table google_calendars is 'Calendars at Google that somebody synced to.';
comment on column google_calendars.account_id is 'Whose calendar it is.';
comment on column google_calendars.calendar_id is 'Google''s id of the calendar.';
comment on column google_calendars.summary is 'The calendar''s name.';
comment on column google_calendars.created is 'Whether we made the calendar at Google.';
comment on column google_calendars.following is 'Whether each new upload of its owner is synced to it.';
comment on column google_calendars.options is 'The choices of the last sync, which the following ones use.';
comment on column google_calendars.colors is 'The colour of each module, so that it stays the same.';
comment on column google_calendars.chosen_at is 'When the choices last changed.';
comment on column google_calendars.synced_at is 'The end of the latest sync; null before the first, and after everything that we added was removed.';
comment on column google_calendars.years is 'Which academic years it was last made with, as in feeds.years.';

comment on table google_events is 'What became of each event that we wrote to a calendar: Google forgets deleted events after some time, and does not say who deleted one.';
comment on column google_events.account_id is 'Whose calendar it is.';
comment on column google_events.calendar_id is 'The calendar.';
comment on column google_events.event_id is 'Google''s id of the event.';
comment on column google_events.state is 'written (it is there), removed (we deleted it) or declined (the person deleted it, so it is not written again).';

comment on table google_syncs is 'Requests to write events to a Google calendar, and how they ended.';
comment on column google_syncs.id is 'The sync. A UUIDv7: it gives their order.';
comment on column google_syncs.account_id is 'Whose calendar it is.';
comment on column google_syncs.calendar_id is 'The calendar.';
comment on column google_syncs.request is 'The events to write and the parts of the calendar to change; null after the end.';
comment on column google_syncs.status is 'pending, done or failed.';
comment on column google_syncs.progress is 'Counts so far: planned calls, and what became of them.';
comment on column google_syncs.attempts is 'How often it failed for a time.';
comment on column google_syncs.turns is 'How often a worker let go of it, because its time was over or an attempt failed.';
comment on column google_syncs.run_after is 'It is not continued before this time.';
comment on column google_syncs.traceparent is 'The trace of the request (W3C Trace Context).';
comment on column google_syncs.error_code is 'Why it failed, as a stable code of the API.';
comment on column google_syncs.created_at is 'When it was asked for.';
comment on column google_syncs.updated_at is 'When the row was last changed.';
comment on column google_syncs.finished_at is 'The end, whether done or failed. Retention counts from here.';
comment on column google_syncs.request_id is 'The request that began it, which is in every log line of the sync.';

comment on table google_recipes is 'What a sync made a calendar''s lectures of, so that a corrected academic year reaches calendars that do not follow uploads. The recipes of a calendar are layers, the newest on top.';
comment on column google_recipes.id is 'The recipe. A UUIDv7: it gives their order.';
comment on column google_recipes.account_id is 'Whose calendar it is.';
comment on column google_recipes.calendar_id is 'The calendar.';
comment on column google_recipes.options is 'The choices of the sync.';
comment on column google_recipes.scopes is 'The parts of the calendar that the sync decided on. There, older recipes no longer count.';
comment on column google_recipes.years is 'Which academic years it was last made with, as in feeds.years.';
comment on column google_recipes.created_at is 'When the sync was made.';

comment on table google_recipe_parts is 'The lectures of a recipe, by the job that they come from. A part is deleted with its job.';
comment on column google_recipe_parts.recipe_id is 'The recipe.';
comment on column google_recipe_parts.position is 'Its place in the recipe.';
comment on column google_recipe_parts.job_id is 'The job that the lectures come from; null if the person sent them.';
comment on column google_recipe_parts.events is 'The lectures; null if they are too long to be kept.';
comment on column google_recipe_parts.written is 'Google''s ids of the events that were written.';
comment on column google_recipe_parts.scopes is 'The parts of the calendar that they are in.';

comment on table google_revocations is 'Access to Google that is to be ended, of people who deleted everything.';
comment on column google_revocations.account_id is 'The account that is deleted.';
comment on column google_revocations.refresh_token is 'The encrypted token that Google is asked to end.';
comment on column google_revocations.key_id is 'The key that encrypted the token.';
comment on column google_revocations.requested_at is 'When the person deleted everything.';
comment on column google_revocations.tried_at is 'When Google was last asked.';
comment on column google_revocations.subject_hash is 'The SHA-256 of Google''s name for the person: a new sign-in of the same person cancels it.';

comment on table ended_sessions is 'Sessions that were signed out, until their token would have expired.';
comment on column ended_sessions.id is 'The session''s id, which is in its token.';
comment on column ended_sessions.expires_at is 'When the token expires; then the row is deleted.';

comment on table session_generations is 'How often an owner ended all sessions.';
comment on column session_generations.owner is 'The owner.';
comment on column session_generations.generation is 'Tokens carry this number; those with an older one are over.';

comment on table deletions is 'People who deleted everything. A row outlives what it deletes: their sessions stay ended, and a restored backup deletes them again.';
comment on column deletions.owner_hash is 'The SHA-256 of the owner''s id, from which the id cannot be found out.';
comment on column deletions.owner is 'The owner, until nothing of theirs is left.';
comment on column deletions.made_before is 'Only what was made before this time is deleted; null for everything.';
comment on column deletions.requested_at is 'When the person asked for it.';
comment on column deletions.erased_at is 'When nothing was left.';

comment on table former_owners is 'Whose uploads an owner took over by signing in or out. In older backups they still belong to the other id, so that a deletion names both.';
comment on column former_owners.owner is 'Who has the uploads now.';
comment on column former_owners.former is 'Who had them.';
comment on column former_owners.moved_at is 'When they moved.';

comment on table sweeps is 'When each task of a schedule last ran to its end, for alerts and for the health page.';
comment on column sweeps.name is 'The task: jobs, feeds, google, backup or probe.';
comment on column sweeps.finished_at is 'When it last ended.';

comment on table public.schema_version is 'Which migrations the database has. One row.';
comment on column public.schema_version.version is 'The number of the last migration.';
