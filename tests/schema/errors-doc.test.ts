// docs/errors.md as it is made from the registry of codes.
import { expect, test } from '@jest/globals';
import { topLevelCodes, userErrorCodes } from '../../platform/errors.ts';
import { errorsDocument } from '../../schema/errors-doc.ts';

test('the document has a row for every code, with what it means', () => {
  const rows = errorsDocument().split('\n');
  for (const [code, { meaning }] of Object.entries(userErrorCodes))
    expect(rows.filter((row) => row.startsWith(`| \`${code}\` | `) && row.endsWith(` | ${meaning} |`))).toHaveLength(1);
  for (const [code, meaning] of Object.entries(topLevelCodes)) expect(rows).toContain(`| \`${code}\` | ${meaning} |`);
});
