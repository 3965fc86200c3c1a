// A few users for hours (SOAK): what grows with time is seen.
import { choose, pause, visit } from './journey.js';

export const options = choose('soak', {
  scenarios: { students: { executor: 'constant-vus', vus: 10, duration: __ENV.SOAK || '2h' } },
  thresholds: { http_req_duration: ['p(95)<2000'], http_req_failed: ['rate<0.01'], uploads_lost: ['rate==0'] },
}, { students: { executor: 'shared-iterations', vus: 2, iterations: 6 } });

export default function () {
  visit({ tries: 3 });
  pause(10);
}
