// The first Monday: three thousand students in an hour, most of them in its first half, while the feeds of those who came
// before are asked for.
import { choose, full, subscribed, subscribers, visit } from './journey.js';

export const options = choose('semester-start', {
  scenarios: {
    students: {
      executor: 'ramping-arrival-rate', startRate: 6, timeUnit: '1m', preAllocatedVUs: 100, maxVUs: 600,
      stages: [{ duration: '10m', target: 90 }, { duration: '15m', target: 80 }, { duration: '20m', target: 30 }, { duration: '15m', target: 10 }],
    },
    programs: { executor: 'constant-arrival-rate', exec: 'subscribed', rate: 2, timeUnit: '1s', duration: '60m', preAllocatedVUs: 10, maxVUs: 50 },
  },
  thresholds: {
    'http_req_duration{name:upload}': ['p(95)<5000'], 'http_req_duration{name:poll}': ['p(95)<500'],
    http_req_failed: ['rate<0.01'], uploads_lost: ['rate==0'],
  },
}, {
  students: { executor: 'shared-iterations', vus: 3, iterations: 9 },
  programs: { executor: 'shared-iterations', exec: 'subscribed', vus: 1, iterations: 10 },
});

// Fewer come before than in the feeds' own scenario, for their calendars are no more than company here.
export const setup = () => subscribers(full ? 600 : 5);

export { subscribed };

export default function () {
  visit({ tries: 5 });
}
