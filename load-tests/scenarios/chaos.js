// Users who come again while PostgreSQL, Redis, the object store and a function are stopped and started.
import { anyFixture, choose, newUser, pause, upload } from './journey.js';

export const options = choose('chaos', {
  scenarios: { students: { executor: 'constant-vus', vus: 20, duration: '5m', gracefulStop: '5m' } },
  thresholds: { uploads_lost: ['rate==0'] },
}, { students: { executor: 'constant-vus', vus: 4, duration: '20s', gracefulStop: '3m' } });

export default function () {
  upload(newUser(), anyFixture(), { tries: 40 });
  pause(2);
}
