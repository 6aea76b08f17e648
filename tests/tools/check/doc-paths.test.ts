// Detection of missing files that a page names.
import { expect, test } from '@jest/globals';
import { faultsOfPage } from '../../../tools/check/doc-paths.ts';

const paths = ['gateway/web/server.ts', 'tests/gateway/web/server.test.ts'];

test.each([
  ['`gateway/web/server.ts`, `web/server.ts`, `tests/gateway/web/server.test.ts`, `tests/gateway`, `tests/gateway/`'],
  ['`tests/NAME/`, `tests/*/server.test.ts`, `server.ts`, tests/gone.test.ts, `etc/tidegate.yaml`, `tests/times.json`'],
])('there is no fault in %s', (text) => {
  expect(faultsOfPage('a.md', text, paths)).toEqual([]);
});

test.each(['tests/gone', 'web/gone.test.ts', 'eb/server.ts', 'tests/gateway/we', 'gateway/web/server.test.tsx'])(
  '%s does not exist',
  (named) => {
    expect(faultsOfPage('a.md', `See \`${named}\`.`, paths)).toEqual([`a.md names ${named}, which does not exist`]);
  },
);
