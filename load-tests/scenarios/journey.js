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
const fixtures = new SharedArray('fixtures', () => JSON.parse(open(`${__ENV.FIXTURES}/index.json`)).map(({ name, truth }) =>
  ({ name, rows: truth.entries.length, kind: truth.kind, pdf: encoding.b64encode(open(`${__ENV.FIXTURES}/${name}`, 'b')) })));

const lost = new Rate('uploads_lost'); // neither read, nor refused with a time to come again
const refused = new Counter('uploads_refused'); // 429 or 503 with Retry-After: what back pressure is for

// The dates that a student without an academic year types in.
const terms = {
  S1: { start: '2026-02-09', end: '2026-05-22' }, S2: { start: '2026-07-13', end: '2026-10-16' }, Y: { start: '2026-02-09', end: '2026-10-16' },
  Q1: { start: '2026-02-09', end: '2026-03-20' }, Q2: { start: '2026-03-30', end: '2026-05-22' },
  Q3: { start: '2026-07-13', end: '2026-08-28' }, Q4: { start: '2026-09-07', end: '2026-10-16' },
};

// choose gives the options of a scenario: of a full run, or of one of seconds.
export function choose(scenario, { scenarios, thresholds = {} }, short) {
  return {
    scenarios: full ? scenarios : short,
    thresholds: full ? { checks: ['rate>0.99'], ...thresholds } : { checks: ['rate==1'] },
    setupTimeout: '20m',
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
  } else if (status === 0 || status >= 500) {
    record({ kind: 'unanswered', fixture: fixture.name, status });
  }
  return answer;
}

// comeAgain is whether an answer says when to come again.
function comeAgain(answer) {
  return (answer.status === 429 || answer.status === 503) && answer.headers['Retry-After'] !== undefined;
}

// upload sends a PDF as the page does: refused, it comes again when it is told to, up to so many times. It gives the job's
// id once its entries are there, or null.
export function upload(user, fixture, { tries = 1 } = {}) {
  let answer = send(user, fixture);
  for (let n = 1; n < tries && answer.status !== 201 && answer.status !== 202; n++) {
    sleep(comeAgain(answer) ? Math.min(Number(answer.headers['Retry-After']), 20) : 1 + Math.random());
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
  const answer = http.post(`${base}/api/generate/ics`, JSON.stringify({ jobId: job, year: 2026, terms }), named(user, 'ics', { 'Content-Type': 'application/json' }));
  check(answer, { 'the file is a calendar': (a) => a.status === 200 && a.body.includes('BEGIN:VEVENT') });
}

// feed makes a feed of all that a user uploaded, which is one PDF. It gives the address.
export function feed(user, fixture) {
  const answer = http.post(`${base}/api/feeds`, JSON.stringify({ year: 2026, terms }), named(user, 'feed', { 'Content-Type': 'application/json' }));
  if (!check(answer, { 'the feed is made': (a) => a.status === 201 })) return null;
  const url = answer.json('url');
  record({ kind: 'feed', fixture: fixture.name, url });
  return url;
}

// poll asks for a feed as a calendar program does. It gives the ETag to ask with the next time.
export function poll(url, etag) {
  const headers = etag ? { 'If-None-Match': etag } : {};
  const answer = http.get(url, { headers, tags: { name: 'poll' }, timeout: '60s' });
  check(answer, { 'the feed is served': (a) => a.status === 304 || (a.status === 200 && a.body.includes('BEGIN:VCALENDAR')) });
  return answer.headers['Etag'] || etag;
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
  const url = feed(user, fixture);
  if (url) poll(url);
}
