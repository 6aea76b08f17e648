// A file in MaxMind's format: locations, and the number of address bits on which they depend.
import { expect, test } from '@jest/globals';
import { clientAddress } from '../../../dns/policy/client.ts';
import { openGeo } from '../../../dns/policy/geo.ts';
import { mmdbFile } from './mmdb-file.ts';

const zeros = Array<number>(12).fill(0);
const file = mmdbFile([
  {
    bytes: [...zeros, 81, 2, 0, 0],
    prefix: 96 + 16,
    value: {
      ...{ continent: { code: 'EU' }, country: { iso_code: 'DE' } },
      location: { latitude: 52.5, longitude: 13.4 },
    },
  },
  { bytes: [...zeros, 12, 0, 0, 0], prefix: 96 + 8, value: { country: { iso_code: 'US' } } },
  { bytes: [0x20, 1, 0x0d, 0xb8], prefix: 32, value: { continent: { code: 'AS' } } },
]);

test('locations are found, with the number of bits on which they depend', () => {
  const geo = openGeo(file);
  const find = (text: string) => geo.find(clientAddress(text).bytes);
  const berlin = { continent: 'EU', country: 'DE', latitude: 52.5, longitude: 13.4 };
  expect(find('81.2.3.4')).toEqual({ place: berlin, bits: 16 });
  expect(find('12.9.9.9')).toEqual({
    place: { continent: null, country: 'US', latitude: null, longitude: null },
    bits: 8,
  });
  expect(find('2001:db8::1')).toMatchObject({ place: { continent: 'AS' }, bits: 32 });
  // 81.3 differs from 81.2 in the 16th bit, 200 from all in the first.
  expect(find('81.3.0.1')).toEqual({ place: null, bits: 16 });
  expect(find('200.0.0.1')).toEqual({ place: null, bits: 1 });
  expect(find('81.2.3.4')).toBe(find('81.2.3.4'));
});

test('a file in another format is refused, and a damaged record is no location', () => {
  expect(() => openGeo(Buffer.from('not a database'))).toThrow();
  const damaged = Buffer.from(file);
  damaged.fill(0xff, file.indexOf('continent') - 3, file.indexOf('continent'));
  expect(openGeo(damaged).find(clientAddress('81.2.3.4').bytes)).toEqual({ place: null, bits: 32 });
});
