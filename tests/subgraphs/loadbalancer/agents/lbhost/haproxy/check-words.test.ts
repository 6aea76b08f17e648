// Lines of HAProxy 2.6's log, and the text that a user gets.
import { expect, test } from '@jest/globals';
import { reasonIn } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/check-words.ts';

test.each([
  [
    'reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms',
    'no connection: Connection refused',
  ],
  ['reason: Layer4 timeout, check duration: 150ms, status: 0/2 DOWN.', 'no connection in time'],
  [
    'reason: Layer7 timeout, info: " at step 2 of tcp-check", check duration: 1ms',
    'no answer in time:  at step 2 of tcp-check',
  ],
  [
    'reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 2ms',
    'the answer has status 503',
  ],
  ['reason: Layer6 invalid response, info: "SSL handshake failure"', 'the TLS handshake failed: SSL handshake failure'],
  ['reason: Layer7 check passed, code: 200, check duration: 1ms', 'its check succeeded'],
  ['reason: Something new, check duration: 1ms', 'Something new'],
  ['2 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.', undefined],
])('%s', (line, told) => {
  expect(reasonIn(`Server p_1/m_2 is DOWN, ${line}`)).toBe(told);
});
