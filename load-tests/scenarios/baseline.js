// Ten users, for five minutes.
import { choose, visit, pause } from './journey.js';

export const options = choose('baseline', {
  scenarios: { students: { executor: 'constant-vus', vus: 10, duration: '5m' } },
  thresholds: { http_req_duration: ['p(95)<2000'], http_req_failed: ['rate<0.01'], uploads_lost: ['rate==0'] },
}, { students: { executor: 'shared-iterations', vus: 2, iterations: 6 } });

export default function () {
  visit();
  pause(2);
}
