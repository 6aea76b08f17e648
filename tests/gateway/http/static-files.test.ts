// The content security policy of each file of the dashboard.
import { expect, test } from '@jest/globals';
import { staticFile } from '../../../gateway/http/static-files.ts';

const policyOf = async (path: string, body: string) =>
  (await staticFile(path, Buffer.from(body))).headers['content-security-policy'];

test('only the upload worker can connect to other origins', async () => {
  expect(await policyOf('/assets/upload-worker-Ab_3-x9.js', '1')).toContain('connect-src http: https:');
  for (const path of ['/assets/other-Ab3.js', '/upload-worker-Ab3.js', '/assets/x/upload-worker-Ab3.js'])
    expect(await policyOf(path, '1')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(await policyOf('/index.html', '<p></p>')).toContain("connect-src 'self'");
});

test('a document can run its own inline scripts, and no others', async () => {
  expect(await policyOf('/index.html', '<script>let x</script>')).toMatch(/script-src 'self' 'sha256-[^']+'/);
});
