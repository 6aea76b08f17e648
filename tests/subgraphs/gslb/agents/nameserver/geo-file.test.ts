// Client locations from a file that is replaced while the name server answers.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import pino from 'pino';
import { GeoFile } from '../../../../../subgraphs/gslb/agents/nameserver/geo-file.ts';
import { mmdbFile } from '../../../../dns/policy/mmdb-file.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';

const address = Buffer.from([192, 0, 2, 1]);
const folder = forFile(() => temporaryFolder());

const inside = (country: string) =>
  mmdbFile([
    { bytes: [...Array<number>(12).fill(0), 192, 0, 2], prefix: 120, value: { country: { iso_code: country } } },
  ]);

test('with a missing or damaged file clients have no location, and a new file is loaded', async () => {
  const path = join(folder.path, 'places.mmdb');
  const replace = async (content: Buffer | string) => {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };
  const geo = new GeoFile(path, pino({ level: 'silent' }), 10);
  await geo.start();
  try {
    expect(geo.find(address).place).toBeNull();
    expect(geo.fault).toContain('ENOENT');
    await replace(inside('DE'));
    await waitFor('the file', () => geo.find(address).place?.country === 'DE');
    expect(geo.fault).toBeUndefined();
    await replace('damaged');
    await waitFor('the fault', () => geo.fault !== undefined);
    expect(geo.find(address).place?.country).toBe('DE');
    await replace(inside('FR'));
    await waitFor('the next file', () => geo.find(address).place?.country === 'FR');
  } finally {
    await geo.stop();
  }
});
