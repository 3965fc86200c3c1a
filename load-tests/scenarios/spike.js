// Five hundred students at once, as when a lecturer shows the page in a full hall. Two minutes later all is as before.
import { choose, full, pause, visit } from './journey.js';

export const options = choose('spike', {
  scenarios: {
    hall: { executor: 'per-vu-iterations', vus: 500, iterations: 1, maxDuration: '3m', tags: { phase: 'spike' } },
    after: { executor: 'constant-vus', vus: 10, startTime: '2m', duration: '2m', tags: { phase: 'after' } },
  },
  thresholds: { 'http_req_duration{phase:after}': ['p(95)<2000'], 'http_req_failed{phase:after}': ['rate<0.01'], uploads_lost: ['rate==0'] },
}, { hall: { executor: 'per-vu-iterations', vus: 15, iterations: 1 } });

export default function () {
  visit({ tries: full ? 8 : 3 });
  pause(2);
}
