// The decisions that follow from the fence of a name.
import { expect, it } from '@jest/globals';
import type { WantedName } from '../../../dns/servers/record-server.ts';
import { endedBy } from '../../../dns/servers/seen.ts';

const fence = { writer: 'us', generation: 4, records: 1, owner: 'shop' };
const wanted = {
  ...{ name: 'shop.example', zone: 'example', writer: 'us', generation: 4, owner: 'shop' },
  records: [{ type: 'A', data: '192.0.2.1' }],
} as unknown as WantedName;

it('a name may be published if it has no fence, our fence, or an older one of ours', () => {
  expect(endedBy(wanted, { fence: undefined })).toBeUndefined();
  expect(endedBy(wanted, { fence })).toBeUndefined();
  expect(endedBy(wanted, { fence: { ...fence, generation: 3 } })).toBeUndefined();
});

it('ends with the newer generation that another process has published', () => {
  expect(endedBy(wanted, { fence: { ...fence, generation: 5 } })).toEqual({ state: 'OVERTAKEN', generation: 5 });
});

it('refuses a name of another installation, older or newer, and withdraws nothing from it', () => {
  for (const generation of [1, 9]) {
    const others = { fence: { ...fence, writer: 'them', generation } };
    expect(() => endedBy(wanted, others)).toThrow('shop.example belongs to shop of another installation');
    expect(endedBy({ ...wanted, records: [] }, others)).toEqual({ state: 'PUBLISHED' });
  }
});
