// What a page makes of the answers of a proxy in front of the gateway.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { isSilence } from '../../../dashboard/src/graph/keep-trying.ts';
import { sendJson } from '../../../dashboard/src/graph/request.ts';

test.each([
  [413, { code: 'LIMIT_EXCEEDED', message: 'A proxy in front of Tidegate allows no request of this size (HTTP 413).' }],
  [502, { code: 'UNREACHABLE', message: 'A proxy in front of Tidegate got no answer from it (HTTP 502).' }],
  [504, { code: 'UNREACHABLE', message: 'A proxy in front of Tidegate got no answer from it (HTTP 504).' }],
  [404, { code: 'UNREACHABLE', message: 'The server answered with HTTP 404.' }],
])('HTTP %s; only a request that may help is sent again', async (status, failure) => {
  const server = createServer((_, response) => response.writeHead(status).end('<html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const error: unknown = await sendJson(`http://127.0.0.1:${port}/`, {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(failure);
    expect(isSilence(error)).toBe(status !== 413);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
