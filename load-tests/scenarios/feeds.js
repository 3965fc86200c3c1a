// Calendar programs that ask for their feeds: most have not changed since.
import { choose, full, subscribed, subscribers } from './journey.js';

export const options = choose('feeds', {
  scenarios: {
    programs: { executor: 'constant-arrival-rate', rate: 90, timeUnit: '1s', duration: '12m', preAllocatedVUs: 20, maxVUs: 100 },
  },
  thresholds: { 'http_req_duration{name:poll}': ['p(95)<500'], 'http_req_failed{name:poll}': ['rate<0.001'] },
}, { programs: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '2s', preAllocatedVUs: 4 } }); // within LIMIT_ALL on any machine

export const setup = () => subscribers(Number(__ENV.FEEDS || (full ? 30000 : 25)));

export default subscribed;
