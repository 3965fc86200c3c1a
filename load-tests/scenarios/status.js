// Clients that ask for the status of their jobs again and again.
import { anyFixture, choose, newUser, pause, status, upload } from './journey.js';

export const options = choose('status', {
  scenarios: { clients: { executor: 'constant-vus', vus: 50, duration: '3m' } },
  thresholds: { 'http_req_duration{name:status}': ['p(95)<200'], http_req_failed: ['rate<0.01'] },
}, { clients: { executor: 'shared-iterations', vus: 2, iterations: 6 } });

export default function () {
  const user = newUser();
  const job = upload(user, anyFixture(), { tries: 5 });
  for (let n = 0; job && n < 15; n++) {
    status(user, job);
    pause(1);
  }
}
