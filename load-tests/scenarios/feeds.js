// Calendar programs that ask for their feeds: most have not changed since.
import exec from 'k6/execution';
import { choose, feed, fixtureOf, full, poll, upload, userOf } from './journey.js';

const feeds = Number(__ENV.FEEDS || (full ? 30000 : 12));
const each = 25; // feeds of one user

export const options = choose('feeds', {
  scenarios: {
    programs: { executor: 'constant-arrival-rate', rate: 90, timeUnit: '1s', duration: '12m', preAllocatedVUs: 20, maxVUs: 100 },
  },
  thresholds: { 'http_req_duration{name:poll}': ['p(95)<500'], 'http_req_failed{name:poll}': ['rate<0.001'] },
}, { programs: { executor: 'shared-iterations', vus: 2, iterations: 30 } });

export function setup() {
  const all = [];
  for (let n = 0; all.length < feeds; n++) {
    const user = userOf(n);
    const fixture = fixtureOf(n);
    if (!upload(user, fixture, { tries: 10 })) throw new Error('the users of the feeds could not upload');
    for (let k = 0; k < each && all.length < feeds; k++) {
      const url = feed(user, fixture);
      all.push([url, poll(url)]);
    }
  }
  return all;
}

export default function (all) {
  const one = all[exec.scenario.iterationInTest % all.length];
  poll(one[0], one[1]);
}
