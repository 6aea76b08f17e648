// `--wait` waits until the change is done and its write is on the standby. A timeout ends with exit code 4.
import { expect } from '@jest/globals';
import { list, type Scenes } from '../command-table.ts';
import { backend } from './calls.ts';

const fw = (operatingStatus: string, message: string | null = null) =>
  backend('fw', { operatingStatus, health: { checkedAt: null, latencyMs: null, softwareVersion: null, message } });
const payload = { backend: fw('UNKNOWN'), commit: { token: 'c1' }, userErrors: [] };
const replicated = (state: string, reason: string | null = null) => ({
  commit: () => ({ replication: { state, reason } }),
});
const changed = {
  backends: list({ id: 'id-fw', name: 'fw' }),
  backendUpdate: () => payload,
  backendDelete: () => payload,
};
const states = ['PENDING', 'CONFIRMED'];
const looks = [fw('UNKNOWN'), fw('UNKNOWN'), fw('ONLINE')];
const disabled = { ...fw('UNKNOWN'), enabled: false };

export const waits: Scenes = {
  'until the write is on the standby and a check has found the backend ONLINE': {
    answers: {
      ...changed,
      commit: () => ({ replication: { state: states.shift() ?? 'CONFIRMED', reason: null } }),
      backend: () => looks.shift() ?? null,
    },
    rows: [
      {
        run: 'backends update fw --site ams1 --wait 20',
        out: 'Operating ONLINE',
        also: () => expect([states, looks]).toEqual([[], []]),
      },
    ],
  },
  'not without --wait': {
    answers: changed,
    rows: [{ run: 'backends update fw --site ams1', out: 'Operating UNKNOWN' }],
  },
  'exit code 4 with what is missing, after the timeout': {
    answers: { ...changed, ...replicated('NOT_REPLICATED'), backend: () => fw('OFFLINE', 'connection refused') },
    rows: [
      {
        run: 'backends update fw --site ams1 --wait 1',
        ...{ exit: 4, out: '', err: 'tidegate: not done within 1 s: fw is OFFLINE: connection refused\n' },
      },
      {
        run: 'backends delete fw --yes --wait 1',
        answers: replicated('PENDING', 'the standby is detached'),
        ...{ exit: 4, err: 'the standby is detached' },
      },
    ],
  },
  'a lost write is a failure, whatever the time left': {
    answers: { ...changed, ...replicated('LOST') },
    rows: [{ run: 'backends delete fw --yes --wait 20', exit: 1, err: "tidegate: the write's replication is LOST\n" }],
  },
  'not for a disabled backend, which is never ONLINE': {
    answers: {
      ...{ ...changed, ...replicated('CONFIRMED') },
      ...{ backendUpdate: () => ({ ...payload, backend: disabled }), backend: () => disabled },
    },
    rows: [{ run: 'backends update fw --disable --wait 20', inputs: [{ enabled: false }], out: '…' }],
  },
};
