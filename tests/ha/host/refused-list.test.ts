// The list of refused certificates is made when its hosts change, and not at each start of an agent.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeRefused } from '../../../ha/host/refused-list.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
beforeEach(async () => {
  place = await temporaryFolder();
});
afterEach(() => place.remove());

test('a list is made for other hosts or if its file is gone, and left as it is otherwise', async () => {
  const refusedFile = join(place.path, 'refused.pem');
  const made = async (serials: readonly string[]) => {
    await writeRefused({ refusedFile }, serials, undefined);
    return readFile(refusedFile, 'utf8');
  };
  const first = await made(['AB', 'CD']);
  expect(first).toContain('BEGIN X509 CRL');
  expect(await made(['CD', 'AB'])).toBe(first);
  const second = await made(['AB']);
  expect(second).not.toBe(first);
  await rm(refusedFile);
  expect(await made(['AB'])).not.toBe(second);
});
