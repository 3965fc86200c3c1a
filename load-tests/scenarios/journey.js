// What a user does, and what every scenario shares. FIXTURES is a folder of `make load-fixtures`, TARGET the system's
// address; with FULL=1 a run lasts as long as it says and is held to its thresholds, otherwise it lasts some seconds and
// is held to its checks alone.

import encoding from 'k6/encoding';
import exec from 'k6/execution';
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Rate } from 'k6/metrics';
import { SharedArray } from 'k6/data';

export const full = __ENV.FULL === '1';

const base = __ENV.TARGET;
const fixtures = new SharedArray('fixtures', () => JSON.parse(open(`${__ENV.FIXTURES}/index.json`)).map(({ name }) =>
  ({ name, pdf: encoding.b64encode(open(`${__ENV.FIXTURES}/${name}`, 'b')) })));

const lost = new Rate('uploads_lost'); // neither read, nor refused with a time to come again
const refused = new Counter('uploads_refused'); // 429 or 503 with Retry-After: what back pressure is for

// The dates that a student without an academic year types in.
const terms = {
  S1: { start: '2026-02-09', end: '2026-05-22' }, S2: { start: '2026-07-13', end: '2026-10-16' }, Y: { start: '2026-02-09', end: '2026-10-16' },
  Q1: { start: '2026-02-09', end: '2026-03-20' }, Q2: { start: '2026-03-30', end: '2026-05-22' },
  Q3: { start: '2026-07-13', end: '2026-08-28' }, Q4: { start: '2026-09-07', end: '2026-10-16' },
};

// k6 gives the times of each step only where they have a threshold: this one always holds, and reports leave it out.
const shown = Object.fromEntries(['upload', 'status', 'result', 'ics', 'feed', 'poll'].map((step) => [`http_req_duration{name:${step}}`, ['max>=0']]));

// choose gives the options of a scenario: of a full run, or of one of seconds. Who has begun may finish: a user who is cut
// off in the middle of an upload cannot tell the audit of it.
export function choose(scenario, { scenarios, thresholds = {} }, short) {
  const patient = Object.entries(full ? scenarios : short).map(([name, one]) => [name, { gracefulStop: '2m', ...one }]);
  return {
    scenarios: Object.fromEntries(patient),
    thresholds: full ? { checks: ['rate>0.99'], ...shown, ...thresholds } : { checks: ['rate==1'] },
    setupTimeout: '40m',
    tags: { scenario_file: scenario },
    summaryTrendStats: ['avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max', 'count'],
  };
}

// record tells the audit, which reads what is logged.
function record(fields) {
  console.log(JSON.stringify(fields));
}

// pause is what a person takes between two steps; a short run does not wait.
export function pause(seconds) {
  if (full) sleep(seconds * (0.5 + Math.random()));
}

// userOf is the user of a number: another address, and no cookie.
export function userOf(n) {
  http.cookieJar().clear(base);
  return { headers: { 'X-Forwarded-For': `10.${n % 250}.${Math.floor(n / 250) % 250}.${Math.floor(n / 62500) % 250}` } };
}

// fixtureOf is the PDF of a number.
export function fixtureOf(n) {
  return fixtures[n % fixtures.length];
}

// newUser is somebody else than whoever came before, and anyFixture what that one uploads.
export function newUser() {
  return userOf(exec.scenario.iterationInTest * 1009 + exec.vu.idInTest);
}

export function anyFixture() {
  return fixtureOf(exec.scenario.iterationInTest * 7 + exec.vu.idInTest);
}

function named(user, name, headers = {}) {
  return { headers: { ...user.headers, ...headers }, tags: { name }, timeout: '60s' };
}

// send uploads a PDF once. It gives the answer, of which the audit is told.
function send(user, fixture) {
  const file = http.file(encoding.b64decode(fixture.pdf), 'UP_MOD_XLS.pdf', 'application/pdf');
  const answer = http.post(`${base}/api/upload`, { file }, named(user, 'upload', { Prefer: 'wait=20' }));
  const status = answer.status;
  if (status === 201 || status === 202) {
    record({ kind: 'accepted', job: answer.json('jobId'), fixture: fixture.name, status });
  } else if ((status === 0 || status >= 500) && !comeAgain(answer)) {
    const told = /\/api\/jobs\/([0-9a-f-]+)/.exec(answer.headers.Location || ''); // what was kept, though it could not be answered
    record({ kind: 'unanswered', fixture: fixture.name, status, ...(told && { job: told[1] }) });
  }
  return answer;
}

// comeAgain is whether an upload was refused, before anything of it was kept, and told when to come again.
function comeAgain(answer) {
  return answer.headers['Retry-After'] !== undefined && (answer.status === 429 || (answer.status === 503 && /"error":\s*"QUEUE_FULL"/.test(answer.body || '')));
}

// upload sends a PDF as the page does: refused, it comes again when it is told to, up to so many times. It gives the job's
// id once its entries are there, or null.
export function upload(user, fixture, { tries = 1 } = {}) {
  let answer = send(user, fixture);
  for (let n = 1; n < tries && answer.status !== 201 && answer.status !== 202; n++) {
    sleep(Math.min(Number(answer.headers['Retry-After'] || 1), 20) + Math.random());
    answer = send(user, fixture);
  }
  const taken = answer.status === 201 || answer.status === 202;
  if (!taken && comeAgain(answer)) {
    refused.add(1);
    return null;
  }
  lost.add(!taken);
  if (!check(answer, { 'the upload is accepted': () => taken })) return null;
  const job = answer.json('jobId');
  if (answer.status === 202 && !finished(user, job)) return null;
  return job;
}

// finished asks for a job's status until it has ended, as a client does that does not wait.
function finished(user, job) {
  for (let n = 0; n < 120; n++) {
    const answer = http.get(`${base}/api/jobs/${job}`, named(user, 'status'));
    const state = answer.status === 200 ? answer.json('status') : '';
    if (state === 'completed' || state === 'failed') {
      return check(state, { 'the upload is read': (s) => s === 'completed' });
    }
    sleep(1);
  }
  return check(null, { 'the upload is read': () => false });
}

// status asks for a job once.
export function status(user, job) {
  const answer = http.get(`${base}/api/jobs/${job}`, named(user, 'status'));
  check(answer, { 'the status is told': (a) => a.status === 200 && a.json('status') === 'completed' });
}

// result reads a job's entries.
export function result(user, job) {
  const answer = http.get(`${base}/api/jobs/${job}/result`, named(user, 'result'));
  check(answer, { 'the result is there': (a) => a.status === 200 && a.json('events').length > 0 });
}

// calendar makes a file of a job.
export function calendar(user, job) {
  const answer = http.post(`${base}/api/generate/ics`, JSON.stringify({ jobId: job, year: 2026, terms }), named(user, 'ics', asJSON));
  check(answer, { 'the file is a calendar': (a) => a.status === 200 && a.body.includes('BEGIN:VEVENT') });
}

const asJSON = { 'Content-Type': 'application/json' };
const choice = JSON.stringify({ year: 2026, terms });

// feeds makes so many feeds of all that a user uploaded, which is one PDF. It gives their addresses.
export function feeds(user, fixture, count = 1) {
  const requests = Array.from({ length: count }, () => ['POST', `${base}/api/feeds`, choice, named(user, 'feed', asJSON)]);
  const made = http.batch(requests).filter((answer) => check(answer, { 'the feed is made': (a) => a.status === 201 }));
  return made.map((answer) => {
    const url = answer.json('url');
    record({ kind: 'feed', fixture: fixture.name, url });
    return url;
  });
}

// poll asks for a feed as a calendar program does, from the user's address; refused, it comes again when it is told to. It
// gives the ETag to ask with the next time.
export function poll(user, url, etag) {
  const get = () => http.get(url, named(user, 'poll', etag ? { 'If-None-Match': etag } : {}));
  let answer = get();
  for (let n = 0; n < 5 && comeAgain(answer); n++) {
    sleep(Math.min(Number(answer.headers['Retry-After']), 20) + Math.random());
    answer = get();
  }
  check(answer, { 'the feed is served': (a) => a.status === 304 || (a.status === 200 && a.body.includes('BEGIN:VCALENDAR')) });
  return answer.headers.Etag || etag;
}

const feedsPerUser = 20; // as many as one may have (FEEDS_PER_OWNER)

// subscribers makes so many feeds, of as few users as it takes. It gives what `subscribed` needs of each.
export function subscribers(count) {
  const all = [];
  for (let n = 0; all.length < count; n++) {
    const user = userOf(n);
    const fixture = fixtureOf(n);
    if (!upload(user, fixture, { tries: 20 })) throw new Error('the users of the feeds could not upload');
    const made = feeds(user, fixture, Math.min(feedsPerUser, count - all.length));
    if (made.length === 0) throw new Error('no feed could be made');
    made.forEach((url) => all.push([url, poll(user, url)]));
  }
  return all;
}

// subscribed is a calendar program that asks for one of the feeds, each in turn.
export function subscribed(all) {
  const n = exec.scenario.iterationInTest % all.length;
  const [url, etag] = all[n];
  poll(userOf(n), url, etag);
}

// visit is all that a student does: upload, look, take the file, subscribe.
export function visit(options) {
  const user = newUser();
  const fixture = anyFixture();
  const job = upload(user, fixture, options);
  if (!job) return;
  pause(2);
  result(user, job);
  pause(5);
  calendar(user, job);
  pause(3);
  feeds(user, fixture).forEach((url) => poll(user, url));
}
