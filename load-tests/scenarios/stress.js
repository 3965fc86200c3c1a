// More and more uploads a second, until something gives way. What is beyond the capacity must be refused, and quickly.
import { anyFixture, choose, newUser, upload } from './journey.js';

const steps = [5, 10, 15, 20, 30, 40, 60, 80, 100];

export const options = choose('stress', {
  scenarios: {
    students: {
      executor: 'ramping-arrival-rate', startRate: 1, timeUnit: '1s', preAllocatedVUs: 200, maxVUs: 1500,
      stages: steps.flatMap((target) => [{ duration: '5s', target }, { duration: '40s', target }]),
    },
  },
  thresholds: { uploads_lost: ['rate==0'] },
}, { students: { executor: 'shared-iterations', vus: 8, iterations: 40 } });

export default function () {
  upload(newUser(), anyFixture());
}
