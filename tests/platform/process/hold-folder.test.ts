// A folder has one process.
import { expect, test } from '@jest/globals';
import { holdFolder } from '../../../platform/process/hold-folder.ts';
import { newUuid } from '../../../platform/values/ids.ts';

test('the second process waits for the first to end, but not forever', async () => {
  const wish = { folder: `/nowhere/${newUuid()}`, setting: 'lbhost.folder' };
  const held = await holdFolder({ ...wish, waitMs: 0 });
  await expect(holdFolder({ ...wish, waitMs: 0 })).rejects.toThrow(/lbhost\.folder.*another process/);
  (await holdFolder({ ...wish, setting: 'nameserver.folder', waitMs: 0 })).close();
  const waiting = holdFolder({ ...wish, waitMs: 60_000 });
  held.close();
  (await waiting).close();
});
