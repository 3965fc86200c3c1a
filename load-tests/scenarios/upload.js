// More and more users, up to a hundred, each of whom comes again when asked to.
import { choose, visit, pause } from './journey.js';

export const options = choose('upload', {
  scenarios: {
    students: {
      executor: 'ramping-vus', startVUs: 1, gracefulRampDown: '1m',
      stages: [{ duration: '2m', target: 100 }, { duration: '5m', target: 100 }, { duration: '1m', target: 0 }],
    },
  },
  thresholds: {
    'http_req_duration{name:upload}': ['p(95)<5000'], 'http_req_duration{name:status}': ['p(95)<200'],
    http_req_failed: ['rate<0.05'], uploads_lost: ['rate==0'],
  },
}, { students: { executor: 'shared-iterations', vus: 4, iterations: 12 } });

export default function () {
  visit({ tries: 3 });
  pause(5);
}
